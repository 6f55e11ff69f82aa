import { createHash } from 'node:crypto'
import t from 'tap'
import { parseRekord } from '../../../src/entries/rekord/parse.js'
import { verifyRekord } from '../../../src/entries/rekord/verify.js'
import { pgpFormat } from '../../../src/keys/pgp/format.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { computedVector, rekorVector, rekorVectorText } from '../../helpers/vectors.js'

const COMPUTED = [
  'rekord-pgp',
  'rekord-x509',
  'rekord-x509-ec',
  'rekord-ssh',
  'rekord-minisign',
  'rekord-minisign-hashed',
  'rekord-signify'
]

const leafHash = (leafValue: Uint8Array) =>
  createHash('sha256').update(Uint8Array.of(0)).update(leafValue).digest('hex')
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const submit = (spec: unknown) => verifyRekord(parseRekord(spec))

t.test('computed vectors', async (t) => {
  for (const name of COMPUTED) {
    const vector = computedVector(name)
    const verified = await submit(vector.proposedEntry.spec)
    t.equal(Buffer.from(verified.leafValue).toString(), vector.canonicalBody, name)
    t.equal(leafHash(verified.leafValue), vector.leafHash)
    t.same(verified.searchKeys, vector.indexKeys)
    t.equal(verified.attestation, undefined)
    t.equal(verified.clientAlgorithm, undefined, 'the policy is for hashedrekord')
  }
})

t.test('the proposal of the e2e tests, hash given', async (t) => {
  const proposal = JSON.parse(rekorVectorText('rekord/proposed_pgp.json')) as { spec: unknown }
  const { leafValue } = await submit(proposal.spec)
  t.equal(leafHash(leafValue), computedVector('rekord-pgp').leafHash, 'the same leaf as without')
})

interface Parts {
  readonly format: string
  readonly signature: Uint8Array
  readonly key: Uint8Array
  readonly data: Uint8Array
  readonly hash?: string
}

function specOf({ format, signature, key, data, hash }: Parts) {
  return {
    signature: { format, content: base64(signature), publicKey: { content: base64(key) } },
    data: {
      content: base64(data),
      ...(hash === undefined ? {} : { hash: { algorithm: 'sha256', value: hash } })
    }
  }
}

const NODE = {
  format: 'pgp',
  signature: rekorVector('rekord/node/sig'),
  key: rekorVector('rekord/node/key'),
  data: rekorVector('rekord/node/SHASUMS256.txt')
}
const X509 = {
  format: 'x509',
  signature: rekorVector('rekord/test_x509.sig'),
  key: rekorVector('rekord/test_x509_public_key.pem'),
  data: rekorVector('rekord/test_x509_artifact.txt')
}
const PGP = {
  format: 'pgp',
  signature: rekorVector('rekord/test_file.sig'),
  key: rekorVector('rekord/test_public_key.key'),
  data: rekorVector('rekord/test_file.txt')
}

t.test('a release of Node', async (t) => {
  const { leafValue, searchKeys } = await submit(specOf(NODE))
  const digest = createHash('sha256').update(NODE.data).digest('hex')
  t.equal(searchKeys.at(-1), `sha256:${digest}`)
  t.ok(searchKeys.some((key) => key.includes('@')))
  const body = JSON.parse(Buffer.from(leafValue).toString()) as {
    spec: { signature: { content: string; publicKey: { content: string } }; data: object }
  }
  t.same(body.spec.data, { hash: { algorithm: 'sha256', value: digest } })
  // What is in the leaf is enough to check the data again.
  const again = await submit({ ...body.spec, data: { content: base64(NODE.data) } })
  t.same(again.leafValue, leafValue)
  t.same(again.searchKeys, searchKeys)
  t.equal(
    await refusalText(() =>
      submit(specOf({ ...NODE, signature: rekorVector('rekord/node/sig.asc') }))
    ),
    'invalid_request: invalid PGP signature provided',
    'clear-signed'
  )
})

t.test('what is refused', async (t) => {
  const digest = createHash('sha256').update(X509.data).digest('hex')
  const empty = createHash('sha256').digest('hex')
  const unknown = 'verification_failed: openpgp: signature made by unknown entity'
  const cases: readonly (readonly [name: string, spec: object, message: string | RegExp])[] = [
    [
      'hash of something else',
      specOf({ ...X509, hash: empty }),
      `verification_failed: SHA mismatch: ${digest} != ${empty}`
    ],
    [
      'upper-case hash',
      specOf({ ...X509, hash: digest.toUpperCase() }),
      `verification_failed: SHA mismatch: ${digest} != ${digest.toUpperCase()}`
    ],
    [
      'other data',
      specOf({ ...X509, data: NODE.data }),
      'verification_failed: crypto/rsa: verification error'
    ],
    ['other key', specOf({ ...PGP, key: NODE.key }), unknown],
    [
      'key of another format',
      specOf({ ...PGP, key: X509.key }),
      /^invalid_request: error reading binary PGP public key: /
    ],
    [
      'signature of another format',
      specOf({ ...PGP, signature: X509.signature }),
      /^invalid_request: invalid PGP signature: /
    ],
    [
      'wrong format',
      specOf({ ...PGP, format: 'x509' }),
      'invalid_request: invalid public key: failure decoding PEM'
    ],
    [
      'signature is read before the key',
      specOf({ ...PGP, signature: NODE.data, key: NODE.data }),
      /^invalid_request: invalid PGP signature: /
    ]
  ]
  for (const [name, spec, message] of cases)
    t.match(await refusalText(() => submit(spec)), message, name)
})

t.test('a committed form looked up without its artifact', async (t) => {
  const { canonicalBody } = computedVector('rekord-pgp')
  const { spec } = JSON.parse(canonicalBody) as { spec: unknown }
  t.match(await refusalText(() => submit(spec)), /^verification_failed: SHA mismatch: e3b0c442/)
})

t.test('mutated fixtures never give another leaf for the same claim', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const failures: string[] = []
  let accepted = 0
  for (let i = 0; i < 300; i++) {
    const parts = random.pick<Parts>([X509, PGP])
    const member = random.pick(['signature', 'key', 'data'] as const)
    const mutated = { ...parts, [member]: mutate(parts[member], random) }
    const verified = await unlessRefused(() => submit(specOf(mutated)))
    if (verified === undefined) continue
    accepted++
    // Other data must never pass. A key or signature may have lost a newline or gained a comment.
    if (member === 'data' && !Buffer.from(mutated.data).equals(parts.data))
      failures.push(base64(mutated.data))
  }
  t.same(failures, [])
  t.comment(`${accepted} of 300 accepted`)
  t.ok((await pgpFormat.parseKey(PGP.key)).subjects.length > 0)
})
