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

t.test('commands of three words', async (t) => {
  const ofRoot = 'tuf root draft, tuf root sign, tuf root show, tuf root publish'
  const ofTargets = 'tuf targets draft, tuf targets sign, tuf targets show, tuf targets publish'
  const cases: [argv: string[], stderr: string][] = [
    [['tuf'], `sigstead tuf needs one of: ${ofRoot}, ${ofTargets}, tuf key new`],
    [['tuf', '--json'], `sigstead tuf needs one of: ${ofRoot}, ${ofTargets}, tuf key new`],
    [['tuf', 'root'], `sigstead tuf root needs one of: ${ofRoot}`],
    [['tuf', 'targets', '--debug'], `sigstead tuf targets needs one of: ${ofTargets}`],
    [['tuf', 'key'], 'sigstead tuf key needs one of: tuf key new'],
    [
      ['tuf', 'root', 'sgin', 'draft.json'],
      'tuf root sgin is not a command (did you mean tuf root sign?); sigstead --help lists them'
    ],
    [
      ['tuf', 'rot', 'sign', 'draft.json'],
      'tuf rot sign is not a command (did you mean tuf root sign?); sigstead --help lists them'
    ],
    [
      ['tuf', 'taregts'],
      'tuf taregts is not a command (did you mean tuf targets?); sigstead --help lists them'
    ],
    [
      ['tfu', 'root', 'sign', 'x'],
      'tfu is not a command (did you mean tuf?); sigstead --help lists them'
    ],
    [
      ['trust', 'chekc', 'x'],
      'trust chekc is not a command (did you mean trust check?); sigstead --help lists them'
    ],
    [
      ['rotaet', 'log'],
      'rotaet is not a command (did you mean rotate?); sigstead --help lists them'
    ],
    [['tuf', 'root', 'sign'], 'sigstead tuf root sign takes FILE (got none)'],
    [['tuf', 'root', 'sign', 'a', 'b'], 'sigstead tuf root sign takes FILE (got a b)'],
    [['tuf', 'root', 'draft', 'a'], 'sigstead tuf root draft takes no arguments (got a)'],
    [['status', 'all'], 'sigstead status takes no arguments (got all)'],
    [
      ['rotate', 'log', '--keepkey'],
      '--keepkey is not a known flag here (did you mean --keep-key?)'
    ]
  ]
  for (const [argv, message] of cases) {
    // Errors as they are asked for, by people or by programs.
    const stderr = argv.includes('--json')
      ? `${JSON.stringify({ error: { code: 'invalid_request', message } })}\n`
      : `sigstead: ${message}\n`
    const result = await runCommand(argv)
    t.match(result, { code: 2, stdout: '' }, argv.join(' '))
    t.ok(result.stderr.startsWith(stderr), `${argv.join(' ')}: ${result.stderr}`)
  }
})

t.test('help of a group lists its commands and no others', async (t) => {
  for (const [group, outside] of [
    ['tuf', 'trust check'],
    ['tuf root', 'tuf targets'],
    ['entry', 'log info'],
    ['ca', 'rotate']
  ] as const) {
    for (const flag of ['--help', '-h']) {
      const { code, stdout, stderr } = await runCommand([...group.split(' '), flag])
      t.equal(code, 0, `${group} ${flag}`)
      t.equal(stderr, '')
      const listed = stdout.split('\n').flatMap((line) => /^ {2}(\S.*?) {2}/.exec(line)?.[1] ?? [])
      t.strictSame(
        listed,
        COMMANDS.map(({ name }) => name).filter((name) => name.startsWith(`${group} `))
      )
      t.notOk(listed.some((name) => name.startsWith(outside)))
    }
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
