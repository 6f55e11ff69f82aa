import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { loadUsedCtLogs, noteCtLogInUse } from '../../src/site/remote-ct-logs.js'
import { tempFolder } from '../helpers/cli.js'
import { refusal } from '../helpers/refusals.js'
import { openTestDatabase } from '../helpers/test-log.js'

const A = { url: 'https://ct.example/2026', publicKey: Uint8Array.of(1) }
const B = { url: 'https://ct.example/2027', publicKey: Uint8Array.of(2) }

t.test('what was used stays known', async (t) => {
  const { register } = await openTestDatabase(t, tempFolder(t))
  t.same(await loadUsedCtLogs(register), [])
  await noteCtLogInUse(register, undefined, 1)
  t.equal(await register.read('ct/remote-logs'), undefined, 'nothing to remember')
  await noteCtLogInUse(register, A, 2)
  await noteCtLogInUse(register, A, 3)
  t.same(await loadUsedCtLogs(register), [{ ...A, startSeconds: 2 }])
  await noteCtLogInUse(register, B, 4)
  await noteCtLogInUse(register, undefined, 5)
  await noteCtLogInUse(register, undefined, 6)
  await noteCtLogInUse(register, A, 7)
  t.same(await loadUsedCtLogs(register), [
    { ...A, startSeconds: 2, endSeconds: 4 },
    { ...B, startSeconds: 4, endSeconds: 5 },
    { ...A, startSeconds: 7 }
  ])
  await noteCtLogInUse(register, { ...A, url: B.url }, 8)
  t.equal((await loadUsedCtLogs(register)).length, 4, 'another address is another time')
})

t.test('what is damaged is told, and what somebody else wrote is not overwritten', async (t) => {
  const { register } = await openTestDatabase(t, tempFolder(t))
  const stale = { ...register, read: async () => encodeUtf8('[]') }
  t.match(await refusal(() => noteCtLogInUse(stale, A, 1)), { code: 'conflict' })
  for (const text of [
    '',
    '{}',
    '[1]',
    '[{}]',
    '[{"url":"u","publicKey":"AQ==","startSeconds":"1"}]'
  ]) {
    const damaged = { read: async () => encodeUtf8(text) }
    t.match(await refusal(() => loadUsedCtLogs(damaged)), { code: 'integrity' }, text)
  }
})
