import t from 'tap'
import { isEmailAddress } from '../../../src/ca/identity/email-address.js'
import { fulcioVector } from '../../helpers/fulcio-vectors.js'

interface EmailVectors {
  readonly valid: readonly string[]
  readonly invalid: readonly string[]
}

t.test('every vector', (t) => {
  const { valid, invalid } = fulcioVector<EmailVectors>('emails.json')
  t.same([valid.length, invalid.length], [17, 28])
  for (const address of valid) t.ok(isEmailAddress(address), address)
  for (const address of invalid) t.notOk(isEmailAddress(address), JSON.stringify(address))
  t.end()
})

t.test('stricter than the pattern of Fulcio, where no mail goes', (t) => {
  t.notOk(isEmailAddress('a@b..example.com'))
  t.notOk(isEmailAddress('a@b-.example.com'))
  t.notOk(isEmailAddress(`${'a'.repeat(243)}@example.com`))
  t.ok(isEmailAddress(`${'a'.repeat(242)}@example.com`))
  t.end()
})

t.test('takes no time on what is made to take it', (t) => {
  const started = process.cpuUsage()
  for (const text of [
    'a'.repeat(100_000),
    `${'a.'.repeat(50_000)}@b`,
    `a@${'b-'.repeat(50_000)}`
  ]) {
    t.notOk(isEmailAddress(text))
  }
  t.ok(process.cpuUsage(started).user < 500_000)
  t.end()
})
