import { createHash } from 'node:crypto'
import t from 'tap'
import { decodeBase64, encodeBase64 } from '../../src/encoding/base64.js'
import { encodeHex } from '../../src/encoding/hex.js'
import {
  cosignatureKey,
  createVerifierKey,
  formatVerifierKey,
  parseVerifierKey,
  type VerifierKeyType
} from '../../src/note/verifier-key.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const LOG = 'rekor2.example.internal+a589b7bc+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'
const WITNESS = 'witness.example.internal/w1+ce64fc16+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X'
const ECDSA =
  'rekor.example.internal+f1d59449+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFFcPW6545a5BNP+yn9U/c0MwemXvzddylFa0KbDtANfRTa+OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q='

t.test('keys of other implementations, both ways', (t) => {
  const cases: readonly (readonly [string, string, VerifierKeyType, number])[] = [
    [LOG, 'rekor2.example.internal', 'ed25519', 32],
    [WITNESS, 'witness.example.internal/w1', 'ed25519-cosignature', 32],
    [ECDSA, 'rekor.example.internal', 'ecdsa', 91]
  ]
  for (const [text, name, type, bytes] of cases) {
    const key = parseVerifierKey(text)
    t.match(key, { name, type })
    t.equal(key.publicKey.length, bytes)
    t.equal(encodeHex(key.keyId), text.split('+')[1])
    t.equal(formatVerifierKey(key), text)
    t.same(createVerifierKey(name, type, key.publicKey), key)
  }
  t.end()
})

t.test('an ML-DSA key is kept as it is', (t) => {
  const publicKey = new Uint8Array(1312).fill(7)
  const key = createVerifierKey('w.example', 'ml-dsa-44-cosignature', publicKey)
  const hash = createHash('sha256').update('w.example\n\u0006').update(publicKey).digest('hex')
  t.equal(encodeHex(key.keyId), hash.slice(0, 8))
  t.same(parseVerifierKey(formatVerifierKey(key)), key)
  t.equal(cosignatureKey(key), key)
  t.end()
})

t.test('the key of a witness that policies give as one of a log', async (t) => {
  const { name, publicKey } = parseVerifierKey(WITNESS)
  const plain = createVerifierKey(name, 'ed25519', publicKey)
  t.not(formatVerifierKey(plain), WITNESS)
  t.equal(formatVerifierKey(cosignatureKey(plain)), WITNESS)
  t.equal(formatVerifierKey(cosignatureKey(parseVerifierKey(WITNESS))), WITNESS)
  t.equal(
    await refusalText(() => cosignatureKey(parseVerifierKey(ECDSA))),
    'unsupported: verifier key: an ECDSA key does not cosign'
  )
})

const RAW = LOG.split('+').slice(2).join('+')
const typed = (type: number, bytes: number): string =>
  encodeBase64(Uint8Array.from({ length: 1 + bytes }, (_, i) => (i === 0 ? type : 9)))

const REFUSED: Record<string, readonly [string, string]> = {
  nothing: ['', 'invalid_request: verifier key: not <name>+<key id>+<key>'],
  'one part': ['log.example', 'invalid_request: verifier key: not <name>+<key id>+<key>'],
  'two parts': ['log.example+a589b7bc', 'invalid_request: verifier key: not <name>+<key id>+<key>'],
  'too long': [
    `${LOG}${'A'.repeat(4096)}`,
    'invalid_request: verifier key: longer than 4096 characters'
  ],
  'no name': [`+a589b7bc+${RAW}`, 'invalid_request: verifier key: bad key name'],
  'white space in the name': [`a b+a589b7bc+${RAW}`, 'invalid_request: verifier key: bad key name'],
  'key id of another name': [
    `rekor3.example.internal+a589b7bc+${RAW}`,
    'invalid_request: verifier key: key id "a589b7bc", want "182f1c96"'
  ],
  'key id in capitals': [
    LOG.replace('a589b7bc', 'A589B7BC'),
    'invalid_request: verifier key: key id "A589B7BC", want "a589b7bc"'
  ],
  'key id cut short': [
    LOG.replace('a589b7bc', 'a589b7b'),
    'invalid_request: verifier key: key id "a589b7b", want "a589b7bc"'
  ],
  'no key': ['log.example+a589b7bc+', 'unsupported: verifier key: type missing'],
  'key of another type': [
    `log.example+a589b7bc+${typed(5, 32)}`,
    'unsupported: verifier key: type 5'
  ],
  'key too short': [
    `log.example+a589b7bc+${typed(1, 31)}`,
    'invalid_request: verifier key: key of 31 bytes'
  ],
  'key too long': [
    `log.example+a589b7bc+${typed(4, 33)}`,
    'invalid_request: verifier key: key of 33 bytes'
  ],
  'ECDSA key of no bytes': [
    `log.example+a589b7bc+${typed(2, 0)}`,
    'invalid_request: verifier key: key of 0 bytes'
  ],
  'base64 without padding': [
    ECDSA.slice(0, -1),
    'invalid_request: verifier key: key: illegal base64 data at input byte 120'
  ]
}

t.test('refused', async (t) => {
  for (const [name, [text, want]] of Object.entries(REFUSED)) {
    t.equal(await refusalText(() => parseVerifierKey(text)), want, name)
  }
  t.equal(decodeBase64(RAW).length, 33)
})

t.test('mutated: a LogError, or what writes the same text', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let parsed = 0
  for (let i = 0; i < 3000; i++) {
    const text = Buffer.from(
      mutate(Buffer.from(random.pick([LOG, WITNESS, ECDSA])), random)
    ).toString()
    const key = await unlessRefused(() => parseVerifierKey(text))
    if (key === undefined) continue
    parsed++
    if (formatVerifierKey(key) !== text) t.fail(JSON.stringify(text))
  }
  t.ok(parsed < 3000, `${parsed} of 3000 were keys`)
})
