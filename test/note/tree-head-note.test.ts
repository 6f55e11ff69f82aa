import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { encodeHex } from '../../src/encoding/hex.js'
import {
  ctKeyIdOf,
  encodeTreeHeadNoteSignature,
  formatTreeHeadNote,
  parseTreeHeadNote,
  parseTreeHeadNoteSignature,
  type TreeHeadNote
} from '../../src/note/tree-head-note.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const real = JSON.parse(
  readFileSync(new URL('../vectors/note/ct-tree-heads.json', import.meta.url), 'utf8')
) as {
  checkpoint: { note: string; publicKey: string; keyIdHex: string }
  signedTreeHead: {
    origin: string
    publicKey: string
    keyIdHex: string
    answer: {
      tree_size: number
      timestamp: number
      sha256_root_hash: string
      tree_head_signature: string
    }
  }
}

function logIdOf(publicKey: string): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest())
}

/** Whether the log signed the tree head (RFC 6962 section 3.5), as Node sees it. */
function isSigned(head: TreeHeadNote, publicKey: string): boolean {
  const input = Buffer.alloc(50)
  input[1] = 1
  input.writeBigUInt64BE(BigInt(head.timestampMs), 2)
  input.writeBigUInt64BE(BigInt(head.treeSize), 10)
  input.set(head.rootHash, 18)
  const key = createPublicKey({
    key: Buffer.from(publicKey, 'base64'),
    format: 'der',
    type: 'spki'
  })
  return verify('sha256', input, key, head.digitallySigned.subarray(4))
}

t.test('the checkpoint of a public log', (t) => {
  const { note, publicKey, keyIdHex } = real.checkpoint
  const logId = logIdOf(publicKey)
  const head = parseTreeHeadNote(note, logId)
  t.equal(head.origin, 'rome.ct.filippo.io/2024h1')
  t.equal(head.treeSize, 115474666)
  t.equal(head.timestampMs, 0x018e7e815952)
  t.equal(encodeHex(ctKeyIdOf(head.origin, logId)), keyIdHex)
  t.ok(isSigned(head, publicKey))
  t.notOk(isSigned({ ...head, timestampMs: head.timestampMs + 1 }, publicKey))
  t.equal(formatTreeHeadNote(head, logId), note)
  t.end()
})

t.test('the signed tree head of a public log, as a checkpoint', (t) => {
  const { origin, publicKey, keyIdHex, answer } = real.signedTreeHead
  const logId = logIdOf(publicKey)
  t.equal(encodeHex(ctKeyIdOf(origin, logId)), keyIdHex)
  const head = {
    origin,
    treeSize: answer.tree_size,
    rootHash: Uint8Array.from(Buffer.from(answer.sha256_root_hash, 'base64')),
    timestampMs: answer.timestamp,
    digitallySigned: Uint8Array.from(Buffer.from(answer.tree_head_signature, 'base64'))
  }
  const note = formatTreeHeadNote(head, logId)
  t.match(note, /^ct\.googleapis\.com\/logs\/us1\/argon2024\n1267285836\nSHySaYoa\S+=\n\n— /)
  const read = parseTreeHeadNote(note, logId)
  t.same(read, head)
  t.ok(isSigned(read, publicKey))
  t.end()
})

const LOG_ID = new Uint8Array(32).fill(0x1d)
const HEAD: TreeHeadNote = {
  origin: 'ct.example/log',
  treeSize: 7,
  rootHash: new Uint8Array(32).fill(0xcc),
  timestampMs: 1767225661123,
  digitallySigned: Uint8Array.of(4, 3, 0, 1, 9)
}
const NOTE = formatTreeHeadNote(HEAD, LOG_ID)
const [BODY = '', LINE = ''] = NOTE.split('\n\n')

t.test('key id', async (t) => {
  const hash = createHash('sha256').update('ct.example/log\n\u0005').update(LOG_ID).digest('hex')
  t.equal(encodeHex(ctKeyIdOf('ct.example/log', LOG_ID)), hash.slice(0, 8))
  t.equal(
    await refusalText(() => ctKeyIdOf('ct.example/log', new Uint8Array(31))),
    'invalid_request: tree head note: log id: 31 bytes, not 32'
  )
})

t.test('signature, both ways', (t) => {
  const bytes = encodeTreeHeadNoteSignature(HEAD)
  t.equal(encodeHex(bytes), '0000019b76db96c30403000109')
  t.same(parseTreeHeadNoteSignature(bytes), {
    timestampMs: HEAD.timestampMs,
    digitallySigned: HEAD.digitallySigned
  })
  t.end()
})

t.test('lines of others are passed over', (t) => {
  const cosignature = '— witness.example AQIDBAUG\n'
  const otherKey = '— ct.example/log AQIDBAUG\n'
  const otherName = LINE.replace('ct.example/log', 'ct.example/2')
  for (const note of [
    `${BODY}\n\n${cosignature}${LINE}`,
    `${NOTE}${cosignature}`,
    `${NOTE}${otherKey}`,
    `${NOTE}${otherName}`
  ]) {
    t.same(parseTreeHeadNote(note, LOG_ID), HEAD)
  }
  t.end()
})

const CASES: readonly (readonly [string, () => unknown, string])[] = [
  [
    'another log',
    () => parseTreeHeadNote(NOTE, new Uint8Array(32)),
    'verification_failed: tree head note: 0 signatures of the log "ct.example/log", not one'
  ],
  [
    'another origin',
    () => parseTreeHeadNote(NOTE.replace('ct.example', 'cv.example'), LOG_ID),
    'verification_failed: tree head note: 0 signatures of the log "cv.example/log", not one'
  ],
  [
    'name of the key not the origin',
    () => parseTreeHeadNote(NOTE.replace('— ct', '— cv'), LOG_ID),
    'verification_failed: tree head note: 0 signatures of the log "ct.example/log", not one'
  ],
  [
    'two signatures of the log',
    () => parseTreeHeadNote(`${NOTE}${LINE}`, LOG_ID),
    'verification_failed: tree head note: 2 signatures of the log "ct.example/log", not one'
  ],
  [
    'extension lines',
    () => parseTreeHeadNote(`${BODY}\nmore\n\n${LINE}`, LOG_ID),
    'invalid_request: tree head note: extension lines, which nobody signed'
  ],
  [
    'log ID of 33 bytes',
    () => parseTreeHeadNote(NOTE, new Uint8Array(33)),
    'invalid_request: tree head note: log id: 33 bytes, not 32'
  ],
  [
    'no checkpoint',
    () => parseTreeHeadNote('', LOG_ID),
    'invalid_request: signed note: no empty line before the signatures'
  ],
  [
    'signature cut short in the time',
    () => parseTreeHeadNoteSignature(new Uint8Array(7)),
    'invalid_request: tree head note: cut short'
  ],
  [
    'time alone',
    () => parseTreeHeadNoteSignature(new Uint8Array(8)),
    'invalid_request: tree head note: no signature'
  ],
  [
    'time beyond safe integers',
    () => parseTreeHeadNoteSignature(new Uint8Array(9).fill(0xff)),
    'invalid_request: tree head note: number above 2^53-1'
  ],
  [
    'no signature to write',
    () => encodeTreeHeadNoteSignature({ timestampMs: 1, digitallySigned: new Uint8Array(0) }),
    'invalid_request: tree head note: no signature'
  ],
  [
    'time before the epoch to write',
    () => formatTreeHeadNote({ ...HEAD, timestampMs: -1 }, LOG_ID),
    'invalid_request: tree head note: timestamp: -1 is not an unsigned integer of 64 bits below 2^53'
  ],
  [
    'origin that can be no name',
    () => formatTreeHeadNote({ ...HEAD, origin: 'ct.example - 7' }, LOG_ID),
    'invalid_request: signed note: bad key name'
  ],
  [
    'short root hash to write',
    () => formatTreeHeadNote({ ...HEAD, rootHash: new Uint8Array(20) }, LOG_ID),
    'invalid_request: checkpoint: root hash is not 32 bytes'
  ]
]

t.test('refused', async (t) => {
  for (const [title, action, message] of CASES) t.equal(await refusalText(action), message, title)
})

t.test('mutated: a LogError, or what writes the same text', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let parsed = 0
  for (let i = 0; i < 3000; i++) {
    const note = Buffer.from(mutate(Buffer.from(NOTE), random)).toString('utf8')
    const head = await unlessRefused(() => parseTreeHeadNote(note, LOG_ID))
    if (head === undefined) continue
    parsed++
    if (formatTreeHeadNote(head, LOG_ID) !== note) t.fail(JSON.stringify(note))
  }
  t.ok(parsed > 0, `${parsed} of 3000 were checkpoints of the log`)
})
