import t from 'tap'
import { parseArguments } from '../../src/cli/arguments.js'
import type { FlagSpec } from '../../src/cli/command.js'

const FLAGS: readonly FlagSpec[] = [
  { name: 'json', meaning: 'A switch.' },
  { name: 'help', meaning: 'A switch.' },
  { name: 'server', value: 'URL', meaning: 'A value.' },
  { name: 'listen', value: 'HOST:PORT', meaning: 'A value.' }
]

t.test('reads', async (t) => {
  const cases: [argv: string[], flags: Record<string, string>, positionals: string[]][] = [
    [[], {}, []],
    [['a', 'b'], {}, ['a', 'b']],
    [['--server', 'x', 'a'], { server: 'x' }, ['a']],
    [['a', '--server=x=y'], { server: 'x=y' }, ['a']],
    [['--server='], { server: '' }, []],
    [['--json', 'a'], { json: '' }, ['a']],
    [['-h'], { help: '' }, []],
    [['--server', '--json'], { server: '--json' }, []],
    [['--', '--json', '-x'], {}, ['--json', '-x']],
    [['-'], {}, ['-']]
  ]
  for (const [argv, flags, positionals] of cases) {
    const parsed = parseArguments(argv, FLAGS)
    t.strictSame(Object.fromEntries(parsed.flags), flags, argv.join(' '))
    t.strictSame(parsed.positionals, positionals, argv.join(' '))
  }
})

t.test('refuses, all at once', async (t) => {
  const cases: [argv: string[], message: string][] = [
    [['--sever', 'x'], '--sever is not a known flag here (did you mean --server?)'],
    [['--sever=x'], '--sever is not a known flag here (did you mean --server?)'],
    [['-x'], '-x is not a known flag here'],
    [['-json'], '-json is not a known flag here (did you mean --json?)'],
    [['--json=yes'], '--json takes no value'],
    [['--server'], '--server needs a value: --server URL'],
    [['--server', 'a', '--server', 'b'], '--server was given twice'],
    [['--json', '--json'], '--json was given twice'],
    [
      ['--nonsense', '--json=1', '--server'],
      '--nonsense is not a known flag here\n--json takes no value\n--server needs a value: --server URL'
    ]
  ]
  for (const [argv, message] of cases) {
    t.throws(
      () => parseArguments(argv, FLAGS),
      { code: 'invalid_request', message },
      argv.join(' ')
    )
  }
})
