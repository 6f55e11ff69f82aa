import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import t from 'tap'
import { encodeNull, encodeOid, encodeSequence } from '../../src/encoding/der.js'
import { LogError } from '../../src/errors.js'
import { createCheckQueue } from '../../src/keys/check-queue.js'
import { type Certificate, parseCertificate } from '../../src/x509/certificate.js'
import { hasSigned, verifyChain } from '../../src/x509/chain.js'
import {
  basicConstraints,
  certificate,
  type CertificateParts,
  extension,
  general,
  keyUsage,
  name,
  OID,
  rsaAlgorithm,
  subjectAltName,
  utcTime
} from '../helpers/certificates.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText } from '../helpers/refusals.js'

interface Pair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const ec = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const KEYS = { root: ec(), middle: ec(), lower: ec(), leaf: ec(), other: ec() }
type Who = keyof typeof KEYS

/** Certificate of `subject`, signed by `issuer`. CAs have the extensions of one. */
function issue(subject: Who, issuer: Who, parts: CertificateParts = {}): Certificate {
  return parseCertificate(
    certificate({
      subject: name(subject),
      issuer: name(issuer),
      key: KEYS[subject].publicKey,
      signer: KEYS[issuer].privateKey,
      extensions: subject === 'leaf' ? [] : [basicConstraints(true), keyUsage(5)],
      ...parts
    })
  )
}

const root = issue('root', 'root')
const middle = issue('middle', 'root')
const lower = issue('lower', 'middle')
const leaf = issue('leaf', 'lower')
const unknownAuthority = 'verification_failed: x509: certificate signed by unknown authority'

t.test('chains that are ones', async (t) => {
  for (const [title, chain] of [
    ['nothing', []],
    ['a certificate alone', [leaf]],
    ['leaf and issuer', [issue('leaf', 'root'), root]],
    ['four', [leaf, lower, middle, root]],
    ['in another order', [leaf, middle, lower, root]],
    ['with a stranger', [leaf, issue('other', 'other'), lower, middle, root]],
    ['with duplicates', [leaf, lower, lower, middle, middle, root]],
    ['an intermediate as root', [leaf, lower, middle]],
    ['the same certificate twice', [leaf, leaf]],
    ['root expired', [issue('leaf', 'root', { notBefore: utcTime('340101000000Z') }), root]],
    [
      'root without basic constraints, version 1',
      [issue('leaf', 'root'), issue('root', 'root', { version: 'none', extensions: 'none' })]
    ]
  ] as const) {
    await verifyChain(chain)
    t.pass(title)
  }
  t.ok(new X509Certificate(leaf.der).verify(new X509Certificate(lower.der).publicKey))
})

t.test('every signature algorithm', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const ed25519 = generateKeyPairSync('ed25519')
  for (const [oid, pair, hash] of [
    ['1.2.840.113549.1.1.11', rsa, 'sha256'],
    ['1.2.840.113549.1.1.12', rsa, 'sha384'],
    ['1.2.840.113549.1.1.13', rsa, 'sha512'],
    ['1.2.840.10045.4.3.2', p384, 'sha256'],
    ['1.2.840.10045.4.3.3', p384, 'sha384'],
    ['1.2.840.10045.4.3.4', p384, 'sha512'],
    ['1.3.101.112', ed25519, 'none']
  ] as const) {
    const algorithm = pair === rsa ? rsaAlgorithm(oid) : encodeSequence(encodeOid(oid))
    const signed = { signer: pair.privateKey, algorithm, hash }
    const ca = issue('root', 'root', { key: pair.publicKey, ...signed })
    await verifyChain([issue('leaf', 'root', signed), ca])
    const damaged = issue('leaf', 'root', { ...signed, signature: new Uint8Array(64) })
    t.equal(await refusalText(() => verifyChain([damaged, ca])), unknownAuthority, oid)
  }
  const sha1 = issue('leaf', 'root', {
    signer: rsa.privateKey,
    algorithm: rsaAlgorithm(OID.rsaSha1),
    hash: 'sha1'
  })
  const ca = issue('root', 'root', { key: rsa.publicKey })
  t.equal(await refusalText(() => verifyChain([sha1, ca])), unknownAuthority, 'SHA-1')
})

t.test('signed by nobody in the chain', async (t) => {
  for (const [title, chain] of [
    ['issuer missing', [leaf, root]],
    [
      'issuer has the name and another key',
      [leaf, issue('lower', 'middle', { key: KEYS.other.publicKey }), middle, root]
    ],
    ['root unrelated', [leaf, lower, middle, issue('other', 'other')]],
    ['leaf last', [root, middle, lower, leaf]],
    [
      'issuer is no CA',
      [issue('leaf', 'root'), issue('root', 'root', { extensions: [basicConstraints(false)] })]
    ],
    [
      'issuer without basic constraints',
      [issue('leaf', 'root'), issue('root', 'root', { extensions: [keyUsage(5)] })]
    ],
    [
      'issuer may not sign certificates',
      [
        issue('leaf', 'root'),
        issue('root', 'root', { extensions: [basicConstraints(true), keyUsage(0)] })
      ]
    ],
    [
      'key of another type',
      [issue('leaf', 'root', { algorithm: rsaAlgorithm(OID.rsaSha256) }), root]
    ],
    [
      'unknown algorithm',
      [issue('leaf', 'root', { algorithm: encodeSequence(encodeOid('1.2.3')) }), root]
    ],
    ['a circle', [issue('leaf', 'lower'), issue('lower', 'middle'), issue('middle', 'lower'), root]]
  ] as const) {
    t.equal(await refusalText(() => verifyChain(chain)), unknownAuthority, title)
  }
})

t.test('an ECDSA signature in IEEE P1363 is none in a certificate', async (t) => {
  const tbs = issue('leaf', 'root').tbs
  const p1363 = sign('sha256', tbs, { key: KEYS.root.privateKey, dsaEncoding: 'ieee-p1363' })
  const wrong = issue('leaf', 'root', { signature: p1363 })
  t.equal(await refusalText(() => verifyChain([wrong, root])), unknownAuthority)
})

t.test('what makes a chain invalid', async (t) => {
  const pathLength = (length: number) => ({ extensions: [basicConstraints(true, length)] })
  const critical = extension('1.2.3', encodeNull(), true)
  for (const [title, chain, message] of [
    [
      'unknown critical extension in the leaf',
      [issue('leaf', 'root', { extensions: [critical] }), root],
      'unhandled critical extension'
    ],
    [
      'in an intermediate',
      [
        leaf,
        issue('lower', 'middle', { extensions: [basicConstraints(true), critical] }),
        middle,
        root
      ],
      'unhandled critical extension'
    ],
    [
      'in the root',
      [
        issue('leaf', 'root'),
        issue('root', 'root', { extensions: [basicConstraints(true), critical] })
      ],
      'unhandled critical extension'
    ],
    [
      'critical SAN of no standard kind',
      [
        issue('leaf', 'root', { extensions: [subjectAltName([general.other('1.2.3')], true)] }),
        root
      ],
      'unhandled critical extension'
    ],
    [
      'issuer not yet valid when the leaf began',
      [issue('leaf', 'root'), issue('root', 'root', { notBefore: utcTime('260101000000Z') })],
      'certificate has expired or is not yet valid: current time 2025-01-01T00:00:00Z is before 2026-01-01T00:00:00Z'
    ],
    [
      'issuer expired when the leaf began',
      [
        issue('leaf', 'root', {
          notBefore: utcTime('400101000000Z'),
          notAfter: utcTime('410101000000Z')
        }),
        root
      ],
      'certificate has expired or is not yet valid: current time 2040-01-01T00:00:00Z is after 2035-01-01T00:00:00Z'
    ],
    [
      'leaf expires before it begins',
      [issue('leaf', 'root', { notAfter: utcTime('200101000000Z') }), root],
      'certificate has expired or is not yet valid: current time 2025-01-01T00:00:00Z is after 2020-01-01T00:00:00Z'
    ],
    [
      'intermediate of version 1',
      [leaf, issue('lower', 'middle', { version: 'none', extensions: 'none' }), middle, root],
      'certificate is not authorized to sign other certificates'
    ],
    [
      'path too long for the root',
      [leaf, lower, middle, issue('root', 'root', pathLength(1))],
      'too many intermediates for path length constraint'
    ],
    [
      'path too long for an intermediate',
      [leaf, lower, issue('middle', 'root', pathLength(0)), root],
      'too many intermediates for path length constraint'
    ]
  ] as const) {
    t.equal(
      await refusalText(() => verifyChain(chain)),
      `verification_failed: x509: ${message}`,
      title
    )
  }
  await verifyChain([leaf, lower, middle, issue('root', 'root', pathLength(2))])
  for (const critical of [true, false]) {
    const extensions = [subjectAltName([general.dns('a.b')], critical)]
    await verifyChain([issue('leaf', 'root', { extensions }), root])
  }
})

t.test('a way around an unusable intermediate is found', async (t) => {
  const late = issue('lower', 'middle', { notBefore: utcTime('300101000000Z') })
  await verifyChain([leaf, late, lower, middle, root])
  t.pass()
})

t.test('name constraints are refused, not half checked', async (t) => {
  const constrained = issue('root', 'root', {
    extensions: [basicConstraints(true), extension(OID.nameConstraints, encodeSequence())]
  })
  t.equal(
    await refusalText(() => verifyChain([issue('leaf', 'root'), constrained])),
    'unsupported: x509: chains with name constraints are not supported'
  )
})

t.test('an error that is no LogError is not swallowed', async (t) => {
  const withoutTbs = (whole: Certificate) =>
    ({ ...whole, tbs: undefined }) as unknown as Certificate
  await t.rejects(verifyChain([withoutTbs(issue('leaf', 'root')), root]), TypeError)
  await t.rejects(verifyChain([leaf, withoutTbs(lower), middle, root]), TypeError)
})

t.test('who has signed, in a queue as on this thread', async (t) => {
  const { data } = createCheckQueue()
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const certificates = [root, middle, lower, leaf]
  const damaged = Array.from({ length: 200 }, () => {
    const child = random.pick(certificates)
    return { ...child, signature: mutate(child.signature, random) }
  })
  let good = 0
  for (const child of [...certificates, ...damaged]) {
    for (const issuer of certificates) {
      const wanted = await hasSigned(issuer, child)
      if (wanted) good++
      if ((await hasSigned(issuer, child, data)) !== wanted) t.fail(`${wanted}`)
    }
  }
  t.ok(good >= 4, `${good} signed`)
})

t.test('that OpenSSL fails says nothing of a signature', async (t) => {
  const fails = () => Promise.reject(new LogError('internal', 'no memory'))
  t.equal(await refusalText(() => hasSigned(middle, lower, fails)), 'internal: no memory')
})
