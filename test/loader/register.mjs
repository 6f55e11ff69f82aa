// Lets Node run our TypeScript: node --import=./test/loader/register.mjs
import { register } from 'node:module'

register('./hooks.mjs', import.meta.url)
