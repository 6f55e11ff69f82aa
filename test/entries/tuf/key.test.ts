import t from 'tap'
import { isGoodSignature, readKey } from '../../../src/entries/tuf/key.js'
import { canonicalJson, type JsonValue } from '../../../src/encoding/canonical-json.js'
import { parseJson } from '../../../src/encoding/json.js'
import { encodePem } from '../../../src/encoding/pem.js'
import { decodeHex } from '../../../src/encoding/hex.js'
import { mutate } from '../../helpers/mutations.js'
import { utf8 } from '../../helpers/pgp.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { newTufKey, signTuf, type TestTufKeyKind } from '../../helpers/tuf-entries.js'
import { rekorVectorText } from '../../helpers/vectors.js'

const MESSAGE = utf8('message')
const KINDS: readonly TestTufKeyKind[] = ['ed25519', 'ecdsa', 'hex', 'p384', 'rsa']
const KEYS = KINDS.map(newTufKey)
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

t.test('keys and signatures of every kind', async (t) => {
  for (const key of KEYS) {
    const read = readKey(key.object)
    t.equal(read.id, key.id)
    const signature = bytesOf(signTuf(key, MESSAGE))
    t.ok(isGoodSignature(read, MESSAGE, signature), key.kind)
    t.notOk(isGoodSignature(read, utf8('another'), signature), 'of something else')
    for (const bad of [signature.slice(1), Uint8Array.of(...signature, 0), new Uint8Array(0)]) {
      t.notOk(isGoodSignature(read, MESSAGE, bad), `${key.kind}, of another length`)
    }
    for (const other of KEYS) {
      const own = bytesOf(signTuf(other, MESSAGE))
      t.equal(isGoodSignature(read, MESSAGE, own), other === key, `${key.kind} ${other.kind}`)
    }
  }
})

t.test('keys of real roots have the id that the root gives them', async (t) => {
  let count = 0
  for (const file of ['tuf/test_root.json', 'pki/tuf/1.root.json', 'pki/tuf/other_root.json']) {
    const { signed } = parseJson(rekorVectorText(file)) as {
      signed: { keys: Record<string, JsonValue> }
    }
    for (const [id, key] of Object.entries(signed.keys)) {
      t.equal(readKey(key).id, id)
      count++
    }
  }
  t.equal(count, 16)
})

const [ED25519, ECDSA, , , RSA] = KEYS.map(({ object }) => object) as {
  keyval: { public: string }
}[]
const pem = ECDSA!.keyval.public

t.test('other spellings', async (t) => {
  const { id } = readKey(ECDSA!)
  t.equal(readKey({ ...ECDSA, more: 1, keyid_hash_algorithms: [] }).id, id)
  t.equal(readKey({ ...ECDSA, keyid_hash_algorithms: null }).id, id)
  t.not(readKey({ ...ECDSA, keyid_hash_algorithms: ['sha256'] }).id, id)
  t.not(readKey({ ...ECDSA, scheme: 'other' }).id, id)
  t.not(readKey({ ...ECDSA, keyval: { public: pem, private: '' } }).id, id)
  const around = readKey({ ...ECDSA, keyval: { public: `text\n${pem}text` } })
  t.same(around.publicKey.spki, readKey(ECDSA!).publicKey.spki, 'text around the PEM')
  t.ok(readKey({ ...ED25519, keyval: { PUBLIC: ED25519!.keyval.public.toUpperCase() } }))
})

t.test('what is refused', async (t) => {
  const ofEcdsa = (text: JsonValue) => ({ ...ECDSA, keyval: { public: text } })
  const ofEd25519 = (text: string) => ({ ...ED25519, keyval: { public: text } })
  const x25519 = encodePem('PUBLIC KEY', decodeHex(`302a300506032b656e032100${'01'.repeat(32)}`))
  const cases: Readonly<Record<string, readonly [key: JsonValue, message: string | RegExp]>> = {
    null: [null, 'invalid_request: tuf root contains nil key'],
    'a text': ['x', 'invalid_request: tuf: a key must be an object'],
    'a list': [[], 'invalid_request: tuf: a key must be an object'],
    nothing: [{}, 'unsupported: invalid key'],
    'no key type': [{ ...ECDSA, keytype: null }, 'unsupported: invalid key'],
    'another key type': [{ ...ECDSA, keytype: 'gpg' }, 'unsupported: invalid key'],
    'a key type in upper case': [{ ...ECDSA, keytype: 'ECDSA' }, 'unsupported: invalid key'],
    'a key type that is no text': [
      { ...ECDSA, keytype: 1 },
      'invalid_request: tuf: keytype must be a string'
    ],
    'a scheme that is no text': [
      { ...ECDSA, scheme: {} },
      'invalid_request: tuf: error unmarshalling key: tuf: scheme must be a string'
    ],
    'algorithms that are no list': [
      { ...ECDSA, keyid_hash_algorithms: 'sha256' },
      /keyid_hash_algorithms must be a list$/
    ],
    'too many algorithms': [
      { ...ECDSA, keyid_hash_algorithms: Array(17).fill('x') },
      /must be a list of at most 16$/
    ],
    'no key': [
      { ...ECDSA, keyval: null },
      'invalid_request: tuf: error unmarshalling key: x509: failed to unmarshal elliptic curve point'
    ],
    'a text for a key': [{ ...ECDSA, keyval: pem }, /keyval must be an object$/],
    'a number for a key': [ofEcdsa(1), /public must be a string$/],
    'a fraction in the key': [
      { ...ECDSA, keyval: { public: pem, x: 0.5 } },
      /unmarshalling key: canonical JSON holds integers/
    ],
    'Ed25519, nothing': [
      ofEd25519(''),
      'invalid_request: tuf: error unmarshalling key: tuf: unexpected public key length for ed25519 key, expected 32, got 0'
    ],
    'Ed25519, not hex': [ofEd25519('zz'), /not valid hex$/],
    'Ed25519, PEM': [ofEd25519(pem), /not valid hex/],
    'Ed25519, small order': [ofEd25519('01'.padEnd(64, '0')), /not a point of large order$/],
    'ECDSA, off the curve': [
      ofEcdsa(`04${'01'.repeat(64)}`),
      /failed to unmarshal elliptic curve point$/
    ],
    'ECDSA, odd hex': [ofEcdsa('040'), /odd length$/],
    'ECDSA, no PEM': [ofEcdsa('x'), /invalid PEM value$/],
    'ECDSA, other PEM': [
      ofEcdsa(rekorVectorText('inline/jar_expected_certificate.pem')),
      /invalid block type: CERTIFICATE$/
    ],
    'ECDSA, damaged': [
      ofEcdsa(pem.replace('MF', 'MG')),
      /^invalid_request: tuf: error unmarshalling key: x509: /
    ],
    'ECDSA, key of RSA': [ofEcdsa(RSA!.keyval.public), /unmarshalling key: invalid public key$/],
    'ECDSA, key of another algorithm': [
      ofEcdsa(x25519),
      /^unsupported: tuf: error unmarshalling key: /
    ],
    'RSA, key of ECDSA': [
      { ...RSA, keyval: ECDSA!.keyval },
      /unmarshalling key: invalid public key$/
    ]
  }
  for (const [name, [key, message]] of Object.entries(cases)) {
    t.match(await refusalText(() => readKey(key)), message, name)
  }
})

t.test('an RSA key that Go finds too short verifies nothing', async (t) => {
  // 512 bits, the same octets as any other key otherwise.
  const short = readKey({
    keytype: 'rsa',
    keyval: {
      public: encodePem(
        'PUBLIC KEY',
        decodeHex(`305c300d06092a864886f70d0101010500034b003048024100${'c1'.repeat(64)}0203010001`)
      )
    }
  })
  t.equal(isGoodSignature(short, MESSAGE, new Uint8Array(64)), false)
})

t.test('mutated keys and signatures', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const failures: string[] = []
  let read = 0
  for (let i = 0; i < 1500; i++) {
    const key = random.pick(KEYS)
    const text = Buffer.from(mutate(utf8(canonicalJson(key.object)), random)).toString('utf8')
    const mutated = await unlessRefused(() => readKey(parseJson(text)))
    if (mutated === undefined) continue
    read++
    const signature = mutate(bytesOf(signTuf(key, MESSAGE)), random)
    if (isGoodSignature(mutated, utf8('another'), signature)) failures.push(text)
  }
  t.same(failures, [])
  t.ok(read > 0)
})
