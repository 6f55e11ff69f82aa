import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig, parseYaml } from '../../src/config/load.js'

const dir = t.testdir({})

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

t.test('reads the file that the flag or the environment names', async (t) => {
  const one = file('one.yaml', 'listen: 127.0.0.1:1\nlog:\n  batch:\n    maxLeaves: 7\n')
  const two = file('two.yaml', 'listen: 127.0.0.1:2\nmetricsListen: off\n')
  t.equal(loadConfig({ config: one }, {}).log.batch.maxLeaves, 7)
  t.equal(loadConfig({}, { SIGSTEAD_CONFIG: two }).listen.port, 2)
  t.equal(loadConfig({}, { SIGSTEAD_CONFIG: two }).metricsListen, undefined)
  t.equal(loadConfig({ config: one }, { SIGSTEAD_CONFIG: two }).listen.port, 1)
  t.equal(loadConfig({ config: one, listen: '127.0.0.1:9' }, {}).listen.port, 9)
  t.equal(loadConfig({ config: file('empty.yaml', '# nothing\n') }, {}).listen.port, 3000)
})

t.test('refuses', async (t) => {
  const cases: [name: string, text: string, message: RegExp][] = [
    ['twice.yaml', 'listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n', /Map keys must be unique/],
    ['syntax.yaml', 'listen: [\n', /^config: .*syntax.yaml: /],
    ['unknown.yaml', 'lisen: 127.0.0.1:1\n', /^config: lisen is not a known key/],
    ['octal.yaml', 'shutdownMs: "100"\n', /^config: shutdownMs must be an integer \(got "100"\)$/],
    ['alias.yaml', 'dataDir: &a x\nlogLevel: *a\n', /aliases are not allowed/],
    ['big.yaml', '#'.repeat(1_048_577), /is larger than 1048576 bytes/]
  ]
  for (const [name, text, message] of cases) {
    t.throws(() => loadConfig({ config: file(name, text) }, {}), { message }, name)
  }
  t.throws(() => loadConfig({ config: join(dir, 'absent.yaml') }, {}), {
    message: /^config: cannot read .*absent.yaml: there is no such file$/
  })
  t.throws(() => loadConfig({ config: dir }, {}), { message: /^config: cannot read .*: EISDIR$/ })
})

t.test('YAML 1.2 words', async (t) => {
  t.strictSame(parseYaml('a: off\nb: yes\nc: true\n', 'x'), { a: 'off', b: 'yes', c: true })
})

t.test('every syntax error is one line', async (t) => {
  t.throws(() => parseYaml('a: "\nb: }\n', 'x.yaml'), { message: /^(config: x.yaml: [^\n]+\n?)+$/ })
})
