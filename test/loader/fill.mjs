// Compiles everything at once, so that no test has to: node test/loader/fill.mjs
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { compiled } from './compiled.mjs'

for (const folder of ['src', 'test']) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (name.endsWith('.ts') && !name.endsWith('.d.ts')) {
      await compiled(join(process.cwd(), folder, name))
    }
  }
}
