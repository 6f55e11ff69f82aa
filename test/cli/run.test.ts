import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMANDS } from '../../src/cli/commands.js'
import { configKeys, hasSource } from '../../src/config/schema.js'
import { runCommand, tempFolder } from '../helpers/cli.js'

t.test('help', async (t) => {
  for (const argv of [[], ['--help'], ['-h'], ['help']]) {
    const { code, stdout } = await runCommand(argv)
    t.equal(code, 0)
    for (const { name, summary } of COMMANDS)
      t.ok(stdout.includes(`${name} `), `lists ${name}`) && t.ok(stdout.includes(summary))
  }
  for (const { name } of COMMANDS) {
    const { code, stdout, stderr } = await runCommand([...name.split(' '), '--help'])
    t.equal(code, 0, name)
    t.equal(stderr, '')
    t.match(stdout, new RegExp(`^sigstead ${name}.*\\[FLAGS\\]\n`), `${name} --help`)
    t.match(stdout, /--json\n/)
    const flags = stdout.split('\n').flatMap((line) => /^ {2}--([a-z-]+)/.exec(line)?.[1] ?? [])
    t.equal(new Set(flags).size, flags.length, `${name}: no flag twice`)
  }
})

t.test('serve takes every configuration key as a flag', async (t) => {
  const { stdout } = await runCommand(['serve', '--help'])
  for (const { flag, key } of configKeys()) {
    t.equal(stdout.includes(`--${flag} `), hasSource(key, 'flag'), flag)
  }
})

t.test('bad command lines exit with 2 and one sentence', async (t) => {
  const cases: [argv: string[], stderr: string][] = [
    [
      ['srve'],
      'sigstead: srve is not a command (did you mean serve?); sigstead --help lists them\n'
    ],
    [['entry'], 'sigstead: sigstead entry needs one of: entry get, entry search, entry proof\n'],
    [
      ['entry', 'gte', '5'],
      'sigstead: entry gte is not a command (did you mean entry get?); sigstead --help lists them\n'
    ],
    [['version', 'x'], 'sigstead: sigstead version takes no arguments (got x)\n'],
    [['entry', 'get'], 'sigstead: sigstead entry get takes ENTRY (got none)\n'],
    [['version', '--jsno'], 'sigstead: --jsno is not a known flag here (did you mean --json?)\n'],
    [['verify', '--listen', 'x'], 'sigstead: --listen is not a known flag here\n'],
    [
      ['serve', '--listen', 'x', '--log-level', 'loud'],
      'sigstead: config: --listen must be host:port (got "x")\n' +
        'sigstead: config: --log-level must be one of trace, debug, info, warn, error, fatal, silent (got "loud")\n'
    ]
  ]
  for (const [argv, stderr] of cases) {
    t.strictSame(await runCommand(argv), { code: 2, stdout: '', stderr }, argv.join(' '))
  }
})

t.test('problems of the environment count as configuration', async (t) => {
  const { code, stderr } = await runCommand(['verify'], {
    environment: { SIGSTEAD_LISTN: 'x', SIGSTEAD_CONFIG: '/does/not/exist' }
  })
  t.equal(code, 2)
  t.equal(stderr, 'sigstead: config: cannot read /does/not/exist: there is no such file\n')
})

t.test('errors as JSON, and their stack on demand', async (t) => {
  const dataDir = join(tempFolder(t), 'none')
  const argv = ['verify', '--data-dir', dataDir]
  const plain = await runCommand(argv)
  t.equal(plain.code, 1)
  t.match(
    plain.stderr,
    /^sigstead: data directory .* holds no log: run sigstead init, or [^\n]*\n$/
  )
  const json = await runCommand([...argv, '--json'])
  t.equal(json.code, 1)
  t.match(JSON.parse(json.stderr), { error: { code: 'invalid_request', message: /holds no log/ } })
  const debug = await runCommand([...argv, '--debug'])
  t.match(debug.stderr, /LogError: data directory [^]*\n {4}at /)
})

t.test('what nobody expected says that it is a bug', async (t) => {
  const world = {
    now: () => {
      throw new TypeError('boom')
    }
  }
  const argv = ['init', '--data-dir', join(tempFolder(t), 'data')]
  const { code, stderr } = await runCommand(argv, world)
  t.equal(code, 1)
  t.equal(stderr, 'sigstead: boom\nsigstead: this is a bug; --debug shows where\n')
  const json = await runCommand([...argv, '--json'], world)
  t.strictSame(JSON.parse(json.stderr), { error: { code: 'internal', message: 'boom' } })
})

t.test('version', async (t) => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  ) as { version: string }
  t.equal(
    (await runCommand(['version'])).stdout,
    `sigstead ${version} (Node.js ${process.version})\n`
  )
  t.equal(
    (await runCommand(['--version'])).stdout,
    `sigstead ${version} (Node.js ${process.version})\n`
  )
  t.strictSame(JSON.parse((await runCommand(['version', '--json'])).stdout), {
    version,
    node: process.version
  })
})

t.test('config table', async (t) => {
  t.match((await runCommand(['config', 'table'])).stdout, /^\| File \| Flag \|/)
  const file = join(tempFolder(t), 'README.md')
  writeFileSync(file, '# x\n<!-- config -->\n<!-- /config -->\n')
  t.equal((await runCommand(['config', 'table', '--write', file])).code, 0)
  t.match(
    readFileSync(file, 'utf8'),
    /^# x\n<!-- config -->\n[^]*`dataDir`[^]*<!-- \/config -->\n$/
  )
  writeFileSync(file, '# x\n')
  t.match(await runCommand(['config', 'table', '--write', file]), {
    code: 1,
    stderr: /lacks the markers/
  })
})
