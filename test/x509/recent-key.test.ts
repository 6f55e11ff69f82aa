import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import { parseDer } from '../../src/encoding/der.js'
import { type PublicKey, readPublicKey, rsaPublicKey } from '../../src/keys/public-key.js'
import { readRecentKey } from '../../src/x509/recent-key.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusal, unlessRefused } from '../helpers/refusals.js'

const spkiOf = ({ publicKey }: { readonly publicKey: { export(options: object): unknown } }) =>
  Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }) as Buffer) // as asked for

const ec = (namedCurve: string) => spkiOf(generateKeyPairSync('ec', { namedCurve }))
const rsa = spkiOf(generateKeyPairSync('rsa', { modulusLength: 2048 }))
const SPKIS = [ec('P-256'), ec('P-384'), spkiOf(generateKeyPairSync('ed25519')), rsa]

t.test('a key that was read lately is not read again', (t) => {
  for (const spki of SPKIS) {
    const key = readRecentKey(parseDer(spki))
    t.equal(readRecentKey(parseDer(Uint8Array.from(spki))), key)
    t.ok(equalBytes(key.spki, spki))
  }
  t.end()
})

t.test('a long one is', (t) => {
  const [short, long] = [1023n, 16_383n].map(
    (bits) => rsaPublicKey((1n << bits) + 1n, 65_537n).spki
  )
  if (short === undefined || long === undefined) throw new Error('no keys')
  t.equal(readRecentKey(parseDer(short)), readRecentKey(parseDer(short)))
  t.not(readRecentKey(parseDer(long)), readRecentKey(parseDer(long)))
  t.end()
})

t.test('the same keys and refusals as without', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const asText = (key: PublicKey) => `${key.type} ${Buffer.from(key.spki).toString('hex')}`
  let good = 0
  for (let i = 0; i < 2000; i++) {
    const bytes = i % 10 === 0 ? random.pick(SPKIS) : mutate(random.pick(SPKIS), random)
    const element = await unlessRefused(() => parseDer(bytes))
    if (element === undefined) continue
    const wanted = await unlessRefused(() => readPublicKey(element))
    if (wanted === undefined) {
      const [got, text] = [
        await refusal(() => readRecentKey(element)),
        await refusal(() => readPublicKey(element))
      ]
      if (got.message !== text.message || got.code !== text.code) t.same(got, text)
      continue
    }
    good++
    if (asText(readRecentKey(element)) !== asText(wanted))
      t.fail(Buffer.from(bytes).toString('hex'))
  }
  t.ok(good >= 200, `${good} good ones`)
})
