import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { decodeBase64 } from '../../src/encoding/base64.js'
import { LogError, isLogError } from '../../src/errors.js'
import {
  type CheckpointBody,
  type VerifySignature,
  formatCheckpointBody,
  parseCheckpoint,
  parseCheckpointBody,
  verifyCheckpoint
} from '../../src/note/checkpoint.js'
import { keyIdOf } from '../../src/note/key-id.js'
import { formatSignedNote } from '../../src/note/signed-note.js'
import { seededRandom } from '../helpers/random.js'

const ROOT_HASH = Uint8Array.from({ length: 32 }, (_, i) => i)
const ROOT = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const BODY = `log.example - 42\n7\n${ROOT}\n`
const LINE = '— log.example AQIDBAUG\n'

t.test('text of a Rekor checkpoint', (t) => {
  t.equal(
    formatCheckpointBody({ origin: 'log.example - 42', treeSize: 7, rootHash: ROOT_HASH }),
    BODY
  )
  t.end()
})

const GOOD: readonly (readonly [string, string, Required<CheckpointBody>])[] = [
  ['plain', BODY, body({})],
  ['empty tree', BODY.replace('\n7\n', '\n0\n'), body({ treeSize: 0 })],
  ['beyond 32 bits', BODY.replace('\n7\n', '\n4294967297\n'), body({ treeSize: 2 ** 32 + 1 })],
  [
    'largest size',
    BODY.replace('\n7\n', '\n9007199254740991\n'),
    body({ treeSize: Number.MAX_SAFE_INTEGER })
  ],
  [
    'extension lines',
    `${BODY}Timestamp: 1688058656037355364\n other \n`,
    body({ extensionLines: ['Timestamp: 1688058656037355364', ' other '] })
  ],
  ['origin beyond ASCII', BODY.replace('log', 'žurnál'), body({ origin: 'žurnál.example - 42' })]
]

function body(change: Partial<CheckpointBody>): Required<CheckpointBody> {
  return {
    origin: 'log.example - 42',
    treeSize: 7,
    rootHash: ROOT_HASH,
    extensionLines: [],
    ...change
  }
}

t.test('good checkpoints, both ways', (t) => {
  for (const [name, text, want] of GOOD) {
    t.same(parseCheckpointBody(text), want, name)
    t.equal(formatCheckpointBody(want), text, name)
    t.same(
      parseCheckpoint(`${text}\n${LINE}`),
      {
        ...want,
        body: text,
        signatures: [
          {
            name: 'log.example',
            keyId: Uint8Array.of(1, 2, 3, 4),
            signature: Uint8Array.of(5, 6)
          }
        ]
      },
      `${name}, signed`
    )
  }
  t.end()
})

const MALFORMED: Record<string, string> = {
  nothing: '',
  'one line': 'log.example\n',
  'two lines': 'log.example\n7\n',
  'no newline after the root hash': BODY.slice(0, -1),
  'empty origin': `\n7\n${ROOT}\n`,
  'empty line before': `\n${BODY}`,
  'empty size': `o\n\n${ROOT}\n`,
  'size not a number': `o\nbananas\n${ROOT}\n`,
  'negative size': `o\n-1\n${ROOT}\n`,
  'size with plus': `o\n+7\n${ROOT}\n`,
  'size with leading zero': `o\n07\n${ROOT}\n`,
  'size 00': `o\n00\n${ROOT}\n`,
  'size with space': `o\n 7\n${ROOT}\n`,
  'size with point': `o\n7.0\n${ROOT}\n`,
  'size with exponent': `o\n1e3\n${ROOT}\n`,
  'hexadecimal size': `o\n0x7\n${ROOT}\n`,
  'size in other digits': `o\n٧\n${ROOT}\n`,
  'size 2^53': `o\n9007199254740992\n${ROOT}\n`,
  'size 2^53 + 1, which rounds': `o\n9007199254740993\n${ROOT}\n`,
  'size 2^64': `o\n18446744073709551616\n${ROOT}\n`,
  'size of a thousand digits': `o\n${'9'.repeat(1000)}\n${ROOT}\n`,
  'no root hash': 'o\n7\n\n',
  'root hash not base64': "o\n7\nThisIsn'tBase64\n",
  'root hash in hex': `o\n7\n${'00'.repeat(32)}\n`,
  'root hash of 31 bytes': `o\n7\n${'A'.repeat(40)}AA==\n`,
  'root hash of 33 bytes': `o\n7\n${'A'.repeat(44)}\n`,
  'root hash without padding': `o\n7\n${ROOT.slice(0, -1)}\n`,
  'root hash with stray bits': `o\n7\n${ROOT.slice(0, -2)}9=\n`,
  'root hash in the URL alphabet': `o\n7\n${'_'.repeat(42)}8=\n`,
  'root hash with a space': `o\n7\n${ROOT} \n`,
  'empty extension line': `${BODY}\n`,
  'empty line among extension lines': `${BODY}a\n\nb\n`,
  'carriage returns': BODY.replaceAll('\n', '\r\n'),
  'control character in the origin': `o\x07\n7\n${ROOT}\n`,
  'lone surrogate in the origin': `o\ud800\n7\n${ROOT}\n`,
  'control character in an extension line': `${BODY}a\tb\n`,
  'lone surrogate in an extension line': `${BODY}\udc00\n`
}

t.test('malformed checkpoints are refused', (t) => {
  for (const [name, text] of Object.entries(MALFORMED)) {
    const refusal = { name: 'LogError', code: 'invalid_request', message: /^checkpoint: / }
    t.throws(() => parseCheckpointBody(text), refusal, name)
    t.throws(
      () => parseCheckpoint(`${text}\n${LINE}`),
      { name: 'LogError', code: 'invalid_request' },
      `${name}, signed`
    )
  }
  t.throws(() => parseCheckpoint(BODY), { code: 'invalid_request' }, 'not signed')
  t.end()
})

t.test('format writes only what could be read', (t) => {
  const cases: readonly (readonly [string, Partial<CheckpointBody>])[] = [
    ['empty origin', { origin: '' }],
    ['origin of two lines', { origin: 'a\nb' }],
    ['control character', { origin: 'a\x00b' }],
    ['lone surrogate', { origin: '\ud800' }],
    ['negative size', { treeSize: -1 }],
    ['fractional size', { treeSize: 0.5 }],
    ['size 2^53', { treeSize: 2 ** 53 }],
    ['size NaN', { treeSize: NaN }],
    ['short root hash', { rootHash: ROOT_HASH.slice(1) }],
    ['long root hash', { rootHash: new Uint8Array(33) }],
    ['empty extension line', { extensionLines: [''] }],
    ['extension of two lines', { extensionLines: ['a', 'b\nc'] }]
  ]
  for (const [name, change] of cases) {
    t.throws(
      () => formatCheckpointBody(body(change)),
      { name: 'LogError', code: 'invalid_request' },
      name
    )
  }
  t.end()
})

t.test('the cases of Rekor', (t) => {
  const { marshal, unmarshalOk, unmarshalErr } = JSON.parse(
    readFileSync('test/vectors/rekor/inline/checkpoint_body_cases.json', 'utf8')
  ) as {
    marshal: { origin: string; size: number; hashUtf8: string; other: string[]; text: string }[]
    unmarshalOk: { text: string; origin: string; size: number; other: string[] }[]
    unmarshalErr: { why: string; text: string }[]
  }
  // Rekor's parser takes a root hash of any length, and its cases use that. Ours wants 32 bytes, so each case is
  // tried as it is, and must be refused, and with a proper root hash in its place.
  const proper = (text: string): string => text.replace(/^([^\n]*\n[^\n]*\n)[^\n]*/, `$1${ROOT}`)
  for (const { origin, size, other, text } of marshal) {
    const checkpoint = { origin, treeSize: size, rootHash: ROOT_HASH, extensionLines: other }
    t.equal(formatCheckpointBody(checkpoint), proper(text))
    t.throws(() => parseCheckpointBody(text), { code: 'invalid_request' })
  }
  for (const { text, origin, size, other } of unmarshalOk) {
    t.throws(() => parseCheckpointBody(text), { code: 'invalid_request' })
    if (text.endsWith('\n\n')) {
      // Rekor drops empty lines at the end. They would be a second spelling of the same checkpoint.
      t.throws(() => parseCheckpointBody(proper(text)), { code: 'invalid_request' })
      continue
    }
    const want = { origin, treeSize: size, rootHash: ROOT_HASH, extensionLines: other }
    t.same(parseCheckpointBody(proper(text)), want)
  }
  for (const { why, text } of unmarshalErr) {
    t.throws(() => parseCheckpointBody(text), { code: 'invalid_request' }, why)
    if (why !== 'root hash not base64') {
      t.throws(() => parseCheckpointBody(proper(text)), { code: 'invalid_request' }, why)
    }
  }
  t.ok(marshal.length === 3 && unmarshalOk.length === 4 && unmarshalErr.length === 7)
  t.end()
})

t.test('checkpoints of the public Rekor log', async (t) => {
  const vector = JSON.parse(readFileSync('test/vectors/note/rekor-checkpoints.json', 'utf8')) as {
    publicKey: string
    name: string
    checkpoints: {
      origin: string
      treeSize: number
      rootHash: string
      extensionLines: string[]
      note: string
    }[]
  }
  const spki = Buffer.from(vector.publicKey, 'base64')
  const log = {
    name: vector.name,
    publicKeyId: keyIdOf(spki),
    verify: verifierFor(createPublicKey({ key: spki, format: 'der', type: 'spki' }))
  }
  for (const { note, origin, treeSize, rootHash, extensionLines } of vector.checkpoints) {
    const got = await verifyCheckpoint(note, { ...log, origin })
    t.match(got, { origin, treeSize, rootHash: decodeBase64(rootHash), extensionLines })
    t.equal(formatSignedNote(formatCheckpointBody(got), got.signatures), note)
    for (const damaged of [
      note.replace(`\n${treeSize}\n`, `\n${treeSize + 1}\n`),
      note.replace(rootHash, ROOT),
      note.replace('\n\n', '\nmore\n\n'),
      note.replace(origin, `${origin}0`)
    ]) {
      t.not(damaged, note)
      await t.rejects(verifyCheckpoint(damaged, log), { code: 'verification_failed' })
    }
  }
  t.equal(vector.checkpoints.length, 5)
})

function verifierFor(publicKey: ReturnType<typeof createPublicKey>): VerifySignature {
  return (message, signature) => {
    if (!verify('sha256', message, publicKey, signature)) {
      throw new LogError('verification_failed', 'signature does not verify')
    }
  }
}

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const OTHER = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const LOG = {
  origin: 'log.example - 42',
  name: 'log.example',
  publicKeyId: keyIdOf(publicKey.export({ format: 'der', type: 'spki' })),
  verify: verifierFor(publicKey)
}
const GOOD_LINE = {
  name: LOG.name,
  keyId: LOG.publicKeyId,
  signature: new Uint8Array(sign('sha256', Buffer.from(BODY), privateKey))
}
const BAD_LINE = {
  ...GOOD_LINE,
  signature: new Uint8Array(sign('sha256', Buffer.from(BODY), OTHER.privateKey))
}
const FOREIGN_LINE = { ...BAD_LINE, name: 'witness.example', keyId: Uint8Array.of(9, 9, 9, 9) }

t.test('whose signature is wanted, and what becomes of the others', async (t) => {
  const accepted = [
    ['the one signature', [GOOD_LINE]],
    ['among others', [FOREIGN_LINE, GOOD_LINE, FOREIGN_LINE]],
    ['twice', [GOOD_LINE, GOOD_LINE]],
    [
      'beside one of our name and another key',
      [{ ...BAD_LINE, keyId: FOREIGN_LINE.keyId }, GOOD_LINE]
    ],
    ['beside one of our key id and another name', [{ ...BAD_LINE, name: 'else' }, GOOD_LINE]]
  ] as const
  for (const [name, lines] of accepted) {
    const got = await verifyCheckpoint(formatSignedNote(BODY, lines), LOG)
    t.equal(got.treeSize, 7, name)
    t.equal(got.signatures.length, lines.length, name)
  }
  const refused = [
    ['a bad signature', [BAD_LINE]],
    ['a bad one after a good one', [GOOD_LINE, BAD_LINE]],
    ['a bad one before a good one', [BAD_LINE, GOOD_LINE]],
    ['only foreign ones', [FOREIGN_LINE]],
    ['our key under another name', [{ ...GOOD_LINE, name: 'LOG.example' }]],
    ['our name under another key id', [{ ...GOOD_LINE, keyId: FOREIGN_LINE.keyId }]]
  ] as const
  for (const [name, lines] of refused) {
    await t.rejects(
      verifyCheckpoint(formatSignedNote(BODY, lines), LOG),
      { name: 'LogError', code: 'verification_failed' },
      name
    )
  }
})

t.test('the origin is compared where it is known', async (t) => {
  const note = formatSignedNote(BODY, [GOOD_LINE])
  const { origin, ...anyOrigin } = LOG
  t.equal((await verifyCheckpoint(note, anyOrigin)).origin, origin)
  for (const other of ['log.example', 'log.example - 43', 'log.example - 42 ', '']) {
    await t.rejects(
      verifyCheckpoint(note, { ...LOG, origin: other }),
      {
        code: 'verification_failed',
        message: `checkpoint of origin "log.example - 42", want "${other}"`
      },
      JSON.stringify(other)
    )
  }
})

t.test('the verifier gets the exact bytes, and its errors become ours', async (t) => {
  const note = formatSignedNote(BODY, [GOOD_LINE])
  const calls: [Uint8Array, Uint8Array][] = []
  await verifyCheckpoint(note, {
    ...LOG,
    verify: async (message, signature) => {
      calls.push([message, signature])
    }
  })
  t.same(calls, [[new TextEncoder().encode(BODY), GOOD_LINE.signature]])

  const failure = new TypeError('no such curve')
  const verifiers: readonly VerifySignature[] = [
    () => {
      throw failure
    },
    () => Promise.reject(failure)
  ]
  for (const failing of verifiers) {
    await t.rejects(verifyCheckpoint(note, { ...LOG, verify: failing }), {
      name: 'LogError',
      code: 'verification_failed',
      message: 'checkpoint signature is not valid',
      cause: failure
    })
  }
  const own = new LogError('unsupported', 'key type')
  await t.rejects(
    verifyCheckpoint(note, {
      ...LOG,
      verify: () => {
        throw own
      }
    }),
    own,
    'a LogError passes as it is'
  )
})

t.test('a verifier that answers instead of throwing is a type error', (t) => {
  // @ts-expect-error -- a boolean would be forgotten; the compiler must refuse it
  const answering: VerifySignature = () => false
  // @ts-expect-error -- likewise
  const promising: VerifySignature = async () => false
  t.ok(answering !== promising, 'held by the type check')
  t.end()
})

t.test('what cannot be read is not verified', async (t) => {
  const verify = (): void => {
    t.fail('asked to verify')
  }
  for (const note of ['', BODY, `${BODY}\n`, `x\n\n${LINE}`]) {
    await t.rejects(verifyCheckpoint(note, { ...LOG, verify }), { code: 'invalid_request' })
  }
  await t.rejects(verifyCheckpoint('x'.repeat(2 ** 21), LOG), { code: 'too_large' })
})

t.test('fuzz: nothing but LogError, and what parses formats to itself', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const pieces = [
    '\n',
    '0',
    '7',
    '-',
    ' ',
    '=',
    'A',
    '/',
    '—',
    '\r',
    '\t',
    '\ud800',
    'é',
    ROOT,
    'Timestamp: 1\n'
  ]
  let parsed = 0
  for (let i = 0; i < 15000; i++) {
    let text = random.pick(GOOD)[1]
    for (let n = random.below(3); n > 0; n--) {
      const cut = random.below(text.length + 1)
      text = text.slice(0, cut) + random.pick(pieces) + text.slice(cut + random.below(3))
    }
    try {
      const checkpoint = parseCheckpoint(`${text}\n${LINE}`)
      parsed++
      if (formatCheckpointBody(checkpoint) !== text) t.fail(`${JSON.stringify(text)} changed`)
    } catch (err) {
      if (!isLogError(err, 'invalid_request')) t.fail(`${JSON.stringify(text)}: ${String(err)}`)
    }
  }
  t.ok(parsed > 1000 && parsed < 14000, `${parsed} of 15000 were checkpoints`)
  t.end()
})
