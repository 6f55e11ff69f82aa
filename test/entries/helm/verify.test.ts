import { createHash } from 'node:crypto'
import t from 'tap'
import { parseHelm } from '../../../src/entries/helm/parse.js'
import { verifyHelm } from '../../../src/entries/helm/verify.js'
import { mutate } from '../../helpers/mutations.js'
import {
  armored,
  bytes,
  makeKey,
  makeSignature,
  packet,
  simpleRing,
  utf8
} from '../../helpers/pgp.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { computedVector, rekorVector, rekorVectorText } from '../../helpers/vectors.js'

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const leafHash = (leafValue: Uint8Array) =>
  createHash('sha256').update(Uint8Array.of(0)).update(leafValue).digest('hex')
const submit = (publicKey: Uint8Array, provenance: Uint8Array) =>
  verifyHelm(
    parseHelm({
      publicKey: { content: base64(publicKey) },
      chart: { provenance: { content: base64(provenance) } }
    })
  )

const KEY = rekorVector('helm/test_helm_armor.pub')
const PROVENANCE = rekorVector('helm/test-0.1.0.tgz.prov')
const vector = computedVector('helm')

t.test('the computed vector', async (t) => {
  const { spec } = vector.proposedEntry
  const fixture = JSON.parse(rekorVectorText('helm/proposed_helm.json')) as { spec: unknown }
  for (const each of [spec, fixture.spec]) {
    const verified = await verifyHelm(parseHelm(each))
    t.equal(Buffer.from(verified.leafValue).toString(), vector.canonicalBody)
    t.equal(leafHash(verified.leafValue), vector.leafHash)
    t.same(verified.searchKeys, vector.indexKeys)
    t.equal(verified.attestation, undefined)
  }
})

t.test('the same message in other armor is the same leaf', async (t) => {
  const other = Buffer.from(PROVENANCE)
    .toString()
    .replace('SIGNATURE-----\n\n', 'SIGNATURE-----\nComment: x\n\n')
    .replace('=BNTk\n', '')
    .replaceAll('\n', '\r\n')
  const { leafValue } = await submit(KEY, utf8(`Hello,\n${other}\nbye`))
  t.equal(leafHash(leafValue), vector.leafHash)
})

const key = makeKey('ed25519')
const RING = simpleRing(key)
const HASH = `sha256:${'ab'.repeat(32)}`

/** A provenance file with `sums` for its second part, signed by us. */
function signed(
  sums: string,
  packets = (text: Uint8Array) => packet(2, makeSignature(key, 1, text))
) {
  const text = `name: test\n\n...\n${sums}`
  const signature = armored('PGP SIGNATURE', packets(utf8(text.replaceAll('\n', '\r\n'))))
  return bytes(utf8(`-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${text}\n`), signature)
}

t.test('a chart of ours', async (t) => {
  const { leafValue, searchKeys } = await submit(RING, signed(`files:\n  a.tgz: ${HASH}`))
  t.same(searchKeys.slice(1), ['test@example.com', HASH])
  t.match(JSON.parse(Buffer.from(leafValue).toString()), {
    spec: { chart: { hash: { algorithm: 'sha256', value: 'ab'.repeat(32) } } }
  })
})

t.test('armor within the armor would be logged as it is', async (t) => {
  const twice = signed(`files:\n  a.tgz: ${HASH}`, (text) =>
    bytes(utf8('Hello,\n'), armored('PGP SIGNATURE', packet(2, makeSignature(key, 1, text))))
  )
  t.match(await refusalText(() => submit(RING, twice)), /^invalid_request: invalid PGP signature: /)
})

t.test('what is refused', async (t) => {
  const files = `files:\n  a.tgz: ${HASH}`
  const unknown = 'verification_failed: openpgp: signature made by unknown entity'
  const changedText = Buffer.from(PROVENANCE).toString().replace('name: test', 'name: tess')
  const cases: Readonly<
    Record<string, readonly [key: Uint8Array, provenance: Uint8Array, message: string | RegExp]>
  > = {
    'a message that was changed': [KEY, utf8(changedText), /^verification_failed: openpgp: /],
    'the key of another': [rekorVector('rekord/test_public_key.key'), PROVENANCE, unknown],
    'a key of another kind': [
      rekorVector('rekord/test_x509_public_key.pem'),
      PROVENANCE,
      /^invalid_request: error reading binary PGP public key: /
    ],
    'an SSH key': [
      rekorVector('pki/ssh/id_rsa.pub'),
      PROVENANCE,
      /^invalid_request: error reading binary PGP public key: /
    ],
    'a detached signature for a provenance': [
      KEY,
      rekorVector('rekord/test_file.sig'),
      'invalid_request: unable to decode provenance file'
    ],
    'a clear-signed message that is no provenance': [
      rekorVector('rekord/node/key'),
      rekorVector('rekord/node/sig.asc'),
      'invalid_request: error occurred parsing message block: message block must have at least two parts'
    ],
    'a key in place of the signature': [
      RING,
      signed(files, () => RING),
      'invalid_request: valid PGP signature was not detected'
    ],
    'armor without signature': [
      RING,
      signed(files, () => bytes()),
      'invalid_request: invalid PGP signature: EOF'
    ],
    'armor that is not base64': [
      RING,
      Uint8Array.from(
        Buffer.from(
          Buffer.from(signed(files))
            .toString()
            .replace(/(SIGNATURE-----\n\n)./, '$1!')
        )
      ),
      /^invalid_request: /
    ],
    'a signature of another type': [
      RING,
      signed(files, (text) => packet(2, makeSignature(key, 2, text))),
      /^unsupported: /
    ],
    'a good signature over another hash': [
      RING,
      signed('files:\n  a.tgz: sha512:ab'),
      /^invalid_request: validation failure list:\n/
    ],
    'a good signature over nothing': [
      RING,
      signed('files: {}'),
      'invalid_request: no checksums found'
    ],
    'null for the files is found after the signature': [
      RING,
      signed('files: null', (text) => packet(2, makeSignature(makeKey('ed25519', 2), 1, text))),
      unknown
    ]
  }
  for (const [name, [publicKey, provenance, message]] of Object.entries(cases)) {
    t.match(await refusalText(() => submit(publicKey, provenance)), message, name)
  }
})

t.test('a committed form cannot be looked up, as in Rekor', async (t) => {
  const { spec } = JSON.parse(vector.canonicalBody) as { spec: unknown }
  t.equal(
    await refusalText(() => verifyHelm(parseHelm(spec))),
    'invalid_request: provenance file contains no content'
  )
})

t.test('mutated fixtures never give another hash', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const failures: string[] = []
  let accepted = 0
  for (let i = 0; i < 300; i++) {
    const ofKey = random.below(3) === 0
    const mutated = mutate(ofKey ? KEY : PROVENANCE, random)
    const verified = await unlessRefused(() =>
      ofKey ? submit(mutated, PROVENANCE) : submit(KEY, mutated)
    )
    if (verified === undefined) continue
    accepted++
    if (verified.searchKeys.at(-1) !== vector.indexKeys.at(-1)) failures.push(base64(mutated))
  }
  t.same(failures, [])
  t.comment(`${accepted} of 300 accepted`)
})
