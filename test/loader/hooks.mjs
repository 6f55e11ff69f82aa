import { fileURLToPath } from 'node:url'
import { compiled } from './compiled.mjs'

/** Imports name modules as they are called when compiled. */
export async function resolve(specifier, context, next) {
  const { parentURL } = context
  // The first module of a thread has no parent, and is named by its URL.
  const isOurs =
    parentURL === undefined
      ? /^file:.*\.js$/.test(specifier)
      : /^\.{1,2}\/.*\.js$/.test(specifier) && /^file:.*\.ts(?:\?|$)/.test(parentURL)
  if (!isOurs) return next(specifier, context)
  try {
    return await next(specifier.replace(/\.js$/, '.ts'), context)
  } catch (err) {
    if (err.code !== 'ERR_MODULE_NOT_FOUND') throw err
    return next(specifier, context)
  }
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !/\.ts(?:\?|$)/.test(url)) return next(url, context)
  const source = await compiled(fileURLToPath(url.replace(/\?.*/, '')))
  return { format: 'module', source, shortCircuit: true }
}
