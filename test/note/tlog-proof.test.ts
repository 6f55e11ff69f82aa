import t from 'tap'
import { decodeBase64 } from '../../src/encoding/base64.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { verifyInclusion } from '../../src/merkle/inclusion-proof.js'
import {
  formatTlogProof,
  MAX_TLOG_PROOF_LENGTH,
  parseTlogProof
} from '../../src/note/tlog-proof.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusal, unlessRefused } from '../helpers/refusals.js'
import { CHECKPOINT_1, CHECKPOINT_2, COSIGNATURE_2, PROOF_1_2 } from '../helpers/witness-keys.js'

const CHECKPOINT = CHECKPOINT_2 + COSIGNATURE_2
/** Of the first of two leaves: the second is its sibling. */
const PROOF = `c2sp.org/tlog-proof@v1\nindex 0\n${PROOF_1_2}\n\n${CHECKPOINT}`
const WITH_EXTRA = PROOF.replace('index', 'extra YWdl\nindex')

t.test('proofs, both ways', (t) => {
  const proof = parseTlogProof(PROOF)
  t.match(proof, { leafIndex: 0, checkpoint: CHECKPOINT, parsed: { treeSize: 2 } })
  t.notOk('extra' in proof)
  t.equal(formatTlogProof(proof), PROOF)
  // The first leaf hash is the root of the tree of one.
  verifyInclusion(
    decodeBase64(CHECKPOINT_1.split('\n')[2] ?? ''),
    proof.leafIndex,
    proof.parsed,
    proof.inclusionProof
  )

  const extra = parseTlogProof(WITH_EXTRA)
  t.same(extra.extra, encodeUtf8('age'))
  t.equal(formatTlogProof(extra), WITH_EXTRA)

  const only = `c2sp.org/tlog-proof@v1\nindex 0\n\n${CHECKPOINT_1}`
  t.same(parseTlogProof(only).inclusionProof, [])
  t.equal(formatTlogProof(parseTlogProof(only)), only)
  t.end()
})

const MALFORMED: Record<string, readonly [string, string]> = {
  nothing: ['', 'tlog proof: no empty line before the checkpoint'],
  'another version': [PROOF.replace('@v1', '@v2'), 'tlog proof: does not begin with'],
  'no index': [PROOF.replace('index 0\n', ''), 'tlog proof: no index'],
  'nothing but the first line': [`c2sp.org/tlog-proof@v1\n\n${CHECKPOINT}`, 'tlog proof: no index'],
  'index with a leading zero': [PROOF.replace('index 0', 'index 00'), 'tlog proof: index: not'],
  'index before extra': [
    PROOF.replace('index 0\n', 'index 0\nextra YWdl\n'),
    'tlog proof: proof line:'
  ],
  'extra twice': [WITH_EXTRA.replace('extra', 'extra YWdl\nextra'), 'tlog proof: no index'],
  'extra of nothing': [
    WITH_EXTRA.replace('extra YWdl', 'extra '),
    'tlog proof: extra data of no bytes'
  ],
  'extra that is not base64': [WITH_EXTRA.replace('YWdl', 'YWd'), 'tlog proof: extra: illegal'],
  'hash of 31 bytes': [
    PROOF.replace(PROOF_1_2, `${'A'.repeat(40)}AA==`),
    'tlog proof: proof line is not 32 bytes'
  ],
  'no checkpoint': [PROOF.slice(0, PROOF.indexOf('\n\n') + 2), 'signed note: no empty line'],
  'text behind': [`${PROOF}x`, 'signed note: no newline at the end']
}

t.test('malformed', async (t) => {
  for (const [name, [text, want]] of Object.entries(MALFORMED)) {
    const error = await refusal(() => parseTlogProof(text))
    t.equal(error.code, 'invalid_request', name)
    t.ok(error.message.startsWith(want), `${name}: ${error.message}`)
  }
  const long = 'x'.repeat(MAX_TLOG_PROOF_LENGTH + 1)
  t.equal((await refusal(() => parseTlogProof(long))).code, 'too_large')
  const wrong = { ...parseTlogProof(PROOF), leafIndex: -1 }
  t.equal((await refusal(() => formatTlogProof(wrong))).code, 'invalid_request')
})

t.test('mutated: a LogError, or what writes the same text', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let parsed = 0
  for (let i = 0; i < 3000; i++) {
    const text = Buffer.from(mutate(encodeUtf8(WITH_EXTRA), random)).toString()
    const proof = await unlessRefused(() => parseTlogProof(text))
    if (proof === undefined) continue
    parsed++
    if (formatTlogProof(proof) !== text) t.fail(JSON.stringify(text))
  }
  t.ok(parsed > 0 && parsed < 3000, `${parsed} of 3000 were proofs`)
})
