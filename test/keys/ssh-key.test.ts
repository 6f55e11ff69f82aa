import { readFileSync } from 'node:fs'
import t from 'tap'
import { decodeBase64 } from '../../src/encoding/base64.js'
import { concatBytes, equalBytes } from '../../src/encoding/bytes.js'
import { decodeSinglePem } from '../../src/encoding/pem.js'
import { ecdsaPublicKey, parsePublicKey } from '../../src/keys/public-key.js'
import { encodeSshKey, parseSshKey } from '../../src/keys/ssh-key.js'
import {
  createSshReader,
  encodeSshMpint,
  encodeSshString,
  encodeSshUint32
} from '../../src/keys/ssh-wire.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

function blobOf(name: string): Uint8Array {
  const line = readFileSync(new URL(`../vectors/openssh/${name}.pub`, import.meta.url), 'utf8')
  return decodeBase64(line.split(' ')[1] ?? '')
}

t.test('keys made by OpenSSH, and the same written again', (t) => {
  for (const [name, type] of [
    ['rsa', 'ssh-rsa'],
    ['ecdsa256', 'ecdsa-sha2-nistp256'],
    ['ecdsa384', 'ecdsa-sha2-nistp384'],
    ['ecdsa521', 'ecdsa-sha2-nistp521'],
    ['ed25519', 'ssh-ed25519']
  ] as const) {
    const blob = blobOf(name)
    const key = parseSshKey(blob)
    t.match(key, { type, keyType: type, application: undefined }, name)
    t.ok(equalBytes(encodeSshKey(key.publicKey) ?? new Uint8Array(0), blob))
  }
  t.end()
})

t.test('certificates stand for the key they certify', (t) => {
  for (const name of ['rsa', 'ecdsa384', 'ed25519']) {
    const certificate = parseSshKey(blobOf(`${name}-cert`))
    const key = parseSshKey(blobOf(name))
    t.equal(certificate.type, `${key.type}-cert-v01@openssh.com`)
    t.equal(certificate.keyType, key.type)
    t.ok(certificate.publicKey.keyObject.equals(key.publicKey.keyObject))
  }
  t.end()
})

const point = parseSshKey(blobOf('ecdsa256')).publicKey
const raw = blobOf('ed25519').subarray(-32)
const p256 = point.type === 'ecdsa' ? point.point : new Uint8Array(0)

t.test('keys that live in a security key', (t) => {
  const ecdsa = parseSshKey(
    concatBytes(
      ...['sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', p256, 'ssh:'].map(encodeSshString)
    )
  )
  t.match(ecdsa, { application: 'ssh:', publicKey: { type: 'ecdsa', curve: 'P-256' } })
  const ed25519 = parseSshKey(
    concatBytes(...['sk-ssh-ed25519@openssh.com', raw, 'ssh:'].map(encodeSshString))
  )
  t.match(ed25519, { application: 'ssh:', publicKey: { type: 'ed25519' } })
  t.end()
})

const rsa = (exponent: bigint, modulus: bigint) =>
  concatBytes(encodeSshString('ssh-rsa'), encodeSshMpint(exponent), encodeSshMpint(modulus))

/** The RSA certificate with another signature key or signature. */
function certificateWith(signatureKey: Uint8Array, signature: Uint8Array): Uint8Array {
  const original = blobOf('ed25519-cert')
  const reader = createSshReader(original)
  for (let i = 0; i < 3; i++) reader.string()
  reader.bytes(12)
  reader.string()
  reader.string()
  reader.bytes(16)
  for (let i = 0; i < 3; i++) reader.string()
  const upTo = original.length - reader.remaining
  return concatBytes(
    original.subarray(0, upTo),
    encodeSshString(signatureKey),
    encodeSshString(signature)
  )
}

const anySignature = concatBytes(encodeSshString('ssh-ed25519'), encodeSshString('x'))

t.test('refused', async (t) => {
  for (const [name, blob, message] of [
    ['empty', new Uint8Array(0), 'invalid_request: ssh: short read'],
    ['ssh-dss', encodeSshString('ssh-dss'), 'unsupported: ssh: unknown key algorithm: ssh-dss'],
    [
      'a signature algorithm',
      encodeSshString('rsa-sha2-256'),
      'unsupported: ssh: unknown key algorithm: rsa-sha2-256'
    ],
    [
      'trailing data',
      concatBytes(blobOf('ed25519'), Uint8Array.of(0)),
      'invalid_request: ssh: trailing data'
    ],
    ['cut', blobOf('ed25519').subarray(0, 40), 'invalid_request: ssh: short read'],
    [
      'Ed25519 too short',
      concatBytes(encodeSshString('ssh-ed25519'), encodeSshString(raw.subarray(1))),
      'invalid_request: x509: wrong Ed25519 public key size'
    ],
    ['exponent 1', rsa(1n, 2n ** 2047n + 1n), 'invalid_request: ssh: incorrect exponent'],
    ['exponent even', rsa(4n, 2n ** 2047n + 1n), 'invalid_request: ssh: incorrect exponent'],
    [
      'exponent of 25 bits',
      rsa(2n ** 24n + 1n, 2n ** 2047n + 1n),
      'invalid_request: ssh: exponent too large'
    ],
    [
      'other curve',
      concatBytes(...['ecdsa-sha2-nistp256', 'nistp384', p256].map(encodeSshString)),
      'invalid_request: ssh: unsupported curve'
    ],
    [
      'certificate signed with a certificate',
      certificateWith(blobOf('ed25519-cert'), anySignature),
      'invalid_request: ssh: the signature key of a certificate is a certificate'
    ],
    [
      'certificate without signature',
      certificateWith(blobOf('ed25519'), new Uint8Array(0)),
      'invalid_request: ssh: short read'
    ]
  ] as const) {
    t.equal(await refusalText(() => parseSshKey(blob)), message, name)
  }
  t.equal(parseSshKey(certificateWith(blobOf('ed25519'), anySignature)).keyType, 'ssh-ed25519')
  t.equal(encodeSshUint32(1).length, 4)
})

t.test('P-224 has no wire form', (t) => {
  const spki = decodeSinglePem(rekorVector('inline/keys/pubKeyP256.pem'), 'PUBLIC KEY')
  t.ok(encodeSshKey(parsePublicKey(spki)))
  // Base point of P-224, SEC 2 section 2.2.2.
  const generator = Buffer.from(
    '04b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21' +
      'bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34',
    'hex'
  )
  t.equal(encodeSshKey(ecdsaPublicKey('P-224', generator)), undefined)
  t.end()
})

t.test('mutated blobs: a LogError or a key', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const originals = ['rsa', 'ecdsa256', 'ed25519', 'ed25519-cert', 'rsa-cert'].map(blobOf)
  let parsed = 0
  for (let i = 0; i < 1500; i++) {
    const bytes = mutate(random.pick(originals), random)
    const key = await unlessRefused(() => parseSshKey(bytes))
    if (key === undefined) continue
    parsed++
    const written = key.type === key.keyType ? encodeSshKey(key.publicKey) : bytes
    if (written === undefined || !equalBytes(written, bytes))
      t.fail(Buffer.from(bytes).toString('hex'))
  }
  t.ok(parsed > 0, `${parsed} of 1500 were keys`)
})
