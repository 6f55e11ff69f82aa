// What a TypeScript file of ours is in JavaScript, kept in .compiled/ from one run to the next: to compile it anew in each
// process took half of the time of the tests.
import { mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, '.compiled')

/**
 * The JavaScript of a file, with its source map in it.
 * @param {string} file absolute
 */
export async function compiled(file) {
  const kept = join(FOLDER, `${relative(ROOT, file)}.mjs`)
  const { mtimeMs, mtime } = statSync(file)
  try {
    // Of the same millisecond: finer times do not survive everywhere.
    if (Math.abs(statSync(kept).mtimeMs - mtimeMs) < 1) return readFileSync(kept, 'utf8')
  } catch {
    // It is made now.
  }
  const text = await compile(file)
  mkdirSync(dirname(kept), { recursive: true })
  // Whole or not at all: others may make or read it at the same time.
  const unfinished = `${kept}.${process.pid}.${performance.now()}`
  writeFileSync(unfinished, text)
  utimesSync(unfinished, mtime, mtime)
  renameSync(unfinished, kept)
  return text
}

/** Read when something has to be compiled, which in most processes nothing has. */
let compiler

async function loadCompiler() {
  const { default: ts } = await import('typescript')
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT)
  const compilerOptions = {
    ...options,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    noEmit: false,
    inlineSourceMap: true
  }
  return { ts, compilerOptions }
}

/** @param {string} file */
async function compile(file) {
  compiler ??= loadCompiler()
  const { ts, compilerOptions } = await compiler
  const { outputText, diagnostics } = ts.transpileModule(readFileSync(file, 'utf8'), {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions
  })
  const [first] = diagnostics ?? []
  if (first !== undefined) {
    throw new SyntaxError(`${file}: ${ts.flattenDiagnosticMessageText(first.messageText, '\n')}`)
  }
  return outputText
}
