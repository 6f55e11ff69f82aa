// Builds the addon with the node-gyp that npm brings along: on `npm ci`, where it never fails the installation, and by
// `npm run build:native`, where it does. Reads only what npm sets and downloads nothing that node-gyp can find here.
//   node native/build.mjs [--required]
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const addons = ['sigstead_crypto', 'sigstead_sockets'].map((name) =>
  join(here, 'build', 'Release', `${name}.node`)
)

/** A slow machine needs a minute; node-gyp that cannot reach a network may try for very long. */
const MAX_BUILD_MS = 300_000

/** Where npm keeps its node-gyp. It says so to the scripts it runs; beside Node is where it lies otherwise. */
function findNodeGyp() {
  const { npm_config_node_gyp: told, npm_execpath: npm } = process.env
  const prefix = dirname(dirname(process.execPath))
  const near = [npm, join(prefix, 'lib', 'node_modules', 'npm', 'package.json')]
  const found = [told, ...near.map(resolveNodeGyp)].find((path) => path && existsSync(path))
  if (found === undefined) throw new Error('npm, which brings node-gyp along, was not found')
  return found
}

function resolveNodeGyp(from) {
  try {
    return from && createRequire(from).resolve('node-gyp/bin/node-gyp.js')
  } catch {
    return undefined
  }
}

/** Headers that lie beside this Node and are its own spare node-gyp the download. What npm is configured with comes first. */
function headerFlags() {
  if (process.env.npm_config_nodedir) return []
  const prefix = dirname(dirname(process.execPath))
  const include = join(prefix, 'include', 'node')
  const isOurs =
    existsSync(join(include, 'openssl', 'evp.h')) &&
    process.version === versionOfHeaders(join(include, 'node_version.h'))
  return isOurs ? [`--nodedir=${prefix}`] : []
}

function versionOfHeaders(file) {
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  const part = (name) => new RegExp(`^#define NODE_${name}_VERSION (\\d+)$`, 'm').exec(text)?.[1]
  return `v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`
}

/** Runs Node and keeps what it says for the case that it fails. */
function runNode(...args) {
  execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: MAX_BUILD_MS
  })
}

/** The line of a failed program's output that tells most. */
function reasonOf(err) {
  const lines = `${err.stderr ?? ''}\n${err.stdout ?? ''}`.split('\n').map((line) => line.trim())
  const reason =
    lines.find((line) => /: (fatal )?error: /.test(line)) ??
    lines.find((line) => /^gyp ERR! stack /.test(line)) ??
    lines.find((line) => /Error: /.test(line)) ??
    err.message.split('\n')[0]
  return reason.replace(/^gyp ERR! stack /, '')
}

try {
  runNode(findNodeGyp(), 'rebuild', `--directory=${here}`, ...headerFlags())
  // What was built may still not load: another C library, a symbol that this Node does not have.
  for (const addon of addons) runNode('-e', 'require(process.argv[1])', addon)
  console.log('sigstead: native verification was built')
} catch (err) {
  console.log(
    `sigstead: native verification was not built (${reasonOf(err)}). ` +
      'The server will run without it and verify about 20 times slower; see native/README.md.'
  )
  if (process.argv.includes('--required')) process.exitCode = 1
}
