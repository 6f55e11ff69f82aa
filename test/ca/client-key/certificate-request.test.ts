import t from 'tap'
import {
  parseSigningRequest,
  verifyRequestSignature
} from '../../../src/ca/client-key/certificate-request.js'
import { decodePem, encodePem } from '../../../src/encoding/pem.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { csrVectors } from '../../helpers/fulcio-vectors.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusal, refusalText, unlessRefused } from '../../helpers/refusals.js'

const UNPARSED = 'invalid_request: The certificate signing request could not be parsed'

function derOf(name: string): Uint8Array {
  const pem = csrVectors().find((vector) => vector.name === name)?.csrPem ?? ''
  return decodePem(encodeUtf8(pem))?.block.bytes ?? new Uint8Array(0)
}

const pemOf = (der: Uint8Array, label = 'CERTIFICATE REQUEST') => encodeUtf8(encodePem(label, der))

t.test('hash of the signature', async (t) => {
  const hashOf = (name: string) => verifyRequestSignature(parseSigningRequest(pemOf(derOf(name))))
  t.equal(await hashOf('P-256 SHA-256 empty subject'), 'sha256')
  t.equal(await hashOf('P-384 SHA-384'), 'sha384')
  t.equal(await hashOf('P-521 SHA-512'), 'sha512')
  t.equal(await hashOf('RSA-2048 SHA-256'), 'sha256')
  t.equal(await hashOf('Ed25519'), undefined)
})

t.test('hostile requests', async (t) => {
  const der = derOf('P-256 SHA-256 empty subject')
  const withBytes = (...more: number[]) => Uint8Array.from([...der, ...more])
  const cases: Readonly<Record<string, Uint8Array>> = {
    'trailing byte': pemOf(withBytes(0)),
    'a second structure': pemOf(withBytes(...der)),
    empty: new Uint8Array(0),
    'empty block': pemOf(new Uint8Array(0)),
    'key instead of a request': pemOf(der, 'PUBLIC KEY')
  }
  for (const [name, pem] of Object.entries(cases)) {
    t.equal(await refusalText(() => parseSigningRequest(pem)), UNPARSED, name)
  }
})

t.test('text around the block and later blocks do not matter', (t) => {
  const pem = Buffer.concat([
    encodeUtf8('comment\n'),
    pemOf(derOf('Ed25519')),
    pemOf(derOf('P-384 SHA-384'))
  ])
  t.equal(parseSigningRequest(pem).publicKey.type, 'ed25519')
  t.end()
})

t.test('signatures of the wrong kind', async (t) => {
  const parsed = parseSigningRequest(pemOf(derOf('P-256 SHA-256 empty subject')))
  const withRequest = (changes: Partial<typeof parsed.request>) => ({
    ...parsed,
    request: { ...parsed.request, ...changes }
  })
  const reasonOf = async (changes: Partial<typeof parsed.request>) => {
    const { code, details } = await refusal(() => verifyRequestSignature(withRequest(changes)))
    return `${code}: ${details['reason'] ?? ''}`
  }
  t.equal(
    await reasonOf({ signatureAlgorithmOid: '1.2.840.10045.4.1' }),
    'verification_failed: signature algorithm 1.2.840.10045.4.1 is not accepted'
  )
  t.equal(
    await reasonOf({ signatureAlgorithmOid: '1.2.840.113549.1.1.11' }),
    'verification_failed: rsa signature by an ecdsa key'
  )
  t.equal(
    await reasonOf({ signatureParameters: Uint8Array.of(5, 0) }),
    'verification_failed: signature algorithm with parameters'
  )
  t.equal(
    await reasonOf({ signature: new Uint8Array(64).fill(7) }),
    'verification_failed: ECDSA signature is not DER'
  )
  t.equal(
    await reasonOf({ signature: new Uint8Array(0) }),
    'verification_failed: ECDSA signature is not DER'
  )
  for (const signatureParameters of [undefined, Uint8Array.of(0x30, 0), Uint8Array.of(5, 0)]) {
    t.equal(
      await refusalText(() =>
        verifyRequestSignature(
          withRequest({ signatureAlgorithmOid: '1.2.840.113549.1.1.10', signatureParameters })
        )
      ),
      'unsupported: unrecognized signature algorithm: 0'
    )
  }
})

t.test('fuzz: a changed request is refused, with LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const samples = csrVectors().flatMap(({ csrPem }) => {
    const bytes = csrPem === undefined ? undefined : decodePem(encodeUtf8(csrPem))?.block.bytes
    return bytes === undefined ? [] : [bytes]
  })
  t.ok(samples.length > 10)
  for (let i = 0; i < 400; i++) {
    const sample = random.pick(samples)
    const changed = mutate(sample, random)
    if (Buffer.compare(changed, sample) === 0) continue
    const hash = await unlessRefused(async () => {
      const parsed = parseSigningRequest(pemOf(changed))
      await verifyRequestSignature(parsed)
      return 'verified'
    })
    t.equal(hash, undefined)
  }
})
