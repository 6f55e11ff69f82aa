import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import t from 'tap'
import { encodeOid, encodeSequence } from '../../src/encoding/der.js'
import { type Certificate, parseCertificate } from '../../src/x509/certificate.js'
import { parseCertificateChainPem } from '../../src/x509/issuing-chain.js'
import {
  checkTimestampChain,
  OID_TIME_STAMPING,
  verifyTimestampChain
} from '../../src/x509/timestamp-chain.js'
import {
  basicConstraints,
  certificate,
  type CertificateParts,
  extension,
  keyUsage,
  name,
  utcTime
} from '../helpers/certificates.js'
import { refusalText } from '../helpers/refusals.js'
import { createTestTsa } from '../helpers/test-tsa.js'
import {
  OWN_TIME_SECONDS,
  ownChain,
  ownSigner,
  realChain,
  tsaVector
} from '../helpers/tsa-vectors.js'

const AT = OWN_TIME_SECONDS
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const keys = [pair(), pair(), pair()] as const

function usage(critical: boolean, ...purposes: readonly string[]): Uint8Array {
  return extension('2.5.29.37', encodeSequence(...purposes.map(encodeOid)), critical)
}

const GOOD_USAGE = usage(true, OID_TIME_STAMPING)
const CA = [basicConstraints(true), keyUsage(5, 6)]

/** Leaf, intermediate and root, each with changes. */
function chainOf(changes: {
  readonly leaf?: CertificateParts
  readonly intermediate?: CertificateParts
  readonly root?: CertificateParts
}): readonly Certificate[] {
  const make = (
    title: string,
    issuer: string,
    [key, signer]: readonly [KeyObject, KeyObject],
    extensions: readonly Uint8Array[],
    parts: CertificateParts = {}
  ) =>
    parseCertificate(
      certificate({ subject: name(title), issuer: name(issuer), key, signer, extensions, ...parts })
    )
  const [leaf, intermediate, root] = keys
  return [
    make(
      'leaf',
      'intermediate',
      [leaf.publicKey, intermediate.privateKey],
      [GOOD_USAGE],
      changes.leaf
    ),
    make(
      'intermediate',
      'root',
      [intermediate.publicKey, root.privateKey],
      [...CA, usage(false, OID_TIME_STAMPING)],
      changes.intermediate
    ),
    make('root', 'root', [root.publicKey, root.privateKey], CA, changes.root)
  ]
}

const options = (chain: readonly Certificate[]) => ({
  publicKey: chain[0]?.publicKey.spki ?? new Uint8Array(0),
  atSeconds: AT
})

t.test('chains that may sign', async (t) => {
  for (const chain of [
    ownChain,
    chainOf({}),
    (await createTestTsa({ madeAtSeconds: AT, withIntermediate: true })).chain
  ]) {
    const checked = await checkTimestampChain(chain, options(chain))
    t.same(
      checked.certificates.map(({ der }) => der),
      chain.map(({ der }) => der)
    )
    t.same(
      parseCertificateChainPem(checked.pem).map(({ der }) => der),
      chain.map(({ der }) => der)
    )
    t.ok(checked.notBeforeSeconds <= AT && AT <= checked.notAfterSeconds)
  }
  const own = await checkTimestampChain(ownChain, { publicKey: ownSigner.publicKey, atSeconds: AT })
  t.equal(own.notAfterSeconds, Date.parse('2036-01-01') / 1000)
  t.equal(own.notBeforeSeconds, Date.parse('2026-01-01') / 1000)
})

t.test('chains of public instances', async (t) => {
  for (const { authorities } of tsaVector.real) {
    const chain = realChain(authorities)
    await verifyTimestampChain(chain, { atSeconds: AT, enforceIntermediateEku: true })
    t.equal(chain.length, 2)
  }
})

t.test('intermediates for anything, where that is allowed', async (t) => {
  const chain = chainOf({ intermediate: { extensions: CA } })
  t.match(
    await refusalText(() => checkTimestampChain(chain, options(chain))),
    /must have extended key usage timestamping/
  )
  t.ok(await checkTimestampChain(chain, { ...options(chain), enforceIntermediateEku: false }))
})

t.test('chains that may not', async (t) => {
  const [leaf, intermediate, root] = chainOf({}) as [Certificate, Certificate, Certificate]
  const short = 'certificate chain must contain at least two certificates'
  const unsigned = 'was not signed by the next one'
  const onlyOne = 'certificate should only contain one EKU'
  const noTimeStamping =
    'certificate must have extended key usage timestamping set to sign timestamping certificates'
  const cases: readonly (readonly [string, readonly Certificate[], string])[] = [
    ['none', [], short],
    ['one', [leaf], short],
    [
      'the root alone, twice',
      [root, root],
      'leaf certificate must be an end-entity certificate, not a CA'
    ],
    ['leaf twice', [leaf, leaf], 'certificate is not a CA certificate'],
    [
      'eleven',
      [leaf, ...Array.from({ length: 10 }, () => root)],
      'certificate chain must contain at most 10 certificates'
    ],
    ['without the intermediate', [leaf, root], `certificate 0 of the chain ${unsigned}`],
    ['wrong order', [leaf, root, intermediate], `certificate 0 of the chain ${unsigned}`],
    [
      'without the root',
      [leaf, intermediate],
      'the last certificate of the chain is not a self-signed root'
    ],
    [
      'an issuer of that name with another key',
      [
        leaf,
        intermediate,
        parseCertificate(
          certificate({ subject: name('root'), issuer: name('root'), extensions: CA })
        )
      ],
      `certificate 1 of the chain ${unsigned}`
    ],
    [
      'leaf that is a CA',
      chainOf({ leaf: { extensions: [...CA, GOOD_USAGE] } }),
      'leaf certificate must be an end-entity certificate, not a CA'
    ],
    [
      'intermediate that is none',
      chainOf({ intermediate: { extensions: [basicConstraints(false)] } }),
      'certificate is not a CA certificate'
    ],
    [
      'root below the path length it allows',
      chainOf({ root: { extensions: [basicConstraints(true, 0), keyUsage(5, 6)] } }),
      'certificate 2 of the chain: too many intermediates for its path length constraint'
    ],
    [
      'leaf not yet valid',
      chainOf({ leaf: { notBefore: utcTime('260102030406Z') } }),
      'certificate 0 of the chain is valid only from 2026-01-02T03:04:06Z'
    ],
    [
      'root expired',
      chainOf({ root: { notAfter: utcTime('260102030404Z') } }),
      'certificate 2 of the chain expired at 2026-01-02T03:04:04Z'
    ],
    [
      'unknown critical extension',
      chainOf({
        leaf: { extensions: [GOOD_USAGE, extension('1.2.3.4', Uint8Array.of(5, 0), true)] }
      }),
      'certificate 0 of the chain has an unhandled critical extension'
    ],
    ['no usage', chainOf({ leaf: { extensions: [] } }), noTimeStamping],
    [
      'another usage',
      chainOf({ leaf: { extensions: [usage(true, CODE_SIGNING)] } }),
      noTimeStamping
    ],
    [
      'two usages',
      chainOf({ leaf: { extensions: [usage(true, OID_TIME_STAMPING, CODE_SIGNING)] } }),
      onlyOne
    ],
    [
      'the same usage twice',
      chainOf({ leaf: { extensions: [usage(true, OID_TIME_STAMPING, OID_TIME_STAMPING)] } }),
      onlyOne
    ],
    [
      'usage that is not critical',
      chainOf({ leaf: { extensions: [usage(false, OID_TIME_STAMPING)] } }),
      'certificate must set EKU to critical'
    ]
  ]
  for (const [title, chain, problem] of cases) {
    t.equal(
      await refusalText(() => checkTimestampChain(chain, options(chain))),
      `invalid_request: ${problem}`,
      title
    )
  }
})

t.test('keys that are not the right one', async (t) => {
  const chain = chainOf({})
  t.equal(
    await refusalText(() =>
      checkTimestampChain(chain, { publicKey: ownSigner.publicKey, atSeconds: AT })
    ),
    'invalid_request: the key is not that of the first certificate: public keys are not equal'
  )
  const ed25519 = chainOf({ leaf: { key: generateKeyPairSync('ed25519').publicKey } })
  t.equal(
    await refusalText(() => checkTimestampChain(ed25519, options(ed25519))),
    'unsupported: an Ed25519 key cannot sign timestamps that clients accept'
  )
})
