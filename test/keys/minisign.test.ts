import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { encodeBase64 } from '../../src/encoding/base64.js'
import { concatBytes, equalBytes } from '../../src/encoding/bytes.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { minisignFormat } from '../../src/keys/minisign.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector, rekorVectorText } from '../helpers/vectors.js'

const data = rekorVector('pki/minisign/hello_world.txt')
const key = (name: string) => minisignFormat.parseKey(rekorVector(`pki/minisign/${name}.pub`))
const signature = (name: string) =>
  minisignFormat.parseSignature(rekorVector(`pki/minisign/${name}`))
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

const FIXTURES = [
  ['minisign', 'hello_world.txt.minisig', false],
  ['minisign_key_only', 'hello_world.txt.minisig', false],
  ['minisign_hashed', 'hello_world_hashed.txt.minisig', true],
  ['signify', 'hello_world.txt.signify', false]
] as const

t.test('fixtures verify, and are canonical in the second reading', async (t) => {
  t.equal(minisignFormat.name, 'minisign')
  for (const [keyName, signatureName, prehashed] of FIXTURES) {
    const parsedKey = await key(keyName)
    const parsed = await signature(signatureName)
    t.equal(parsed.prehashed, prehashed, signatureName)
    await minisignFormat.verify(parsedKey, parsed, data)
    t.same(parsedKey.subjects, [])
    t.match(text(parsedKey.canonical), /^[A-Za-z0-9+/]{56}$/)
    t.match(text(parsed.canonical), /^untrusted comment:\n[A-Za-z0-9+/]{99}=$/)
    const keyAgain = await minisignFormat.parseKey(parsedKey.canonical)
    const again = await minisignFormat.parseSignature(parsed.canonical)
    t.ok(equalBytes(keyAgain.canonical, parsedKey.canonical))
    t.ok(equalBytes(again.canonical, parsed.canonical))
    await minisignFormat.verify(keyAgain, again, data)
    t.equal(
      await refusalText(() => minisignFormat.verify(parsedKey, parsed, encodeUtf8('other'))),
      'verification_failed: failed to verify signature'
    )
  }
  t.ok(equalBytes((await key('minisign')).canonical, (await key('minisign_key_only')).canonical))
  t.equal(
    await refusalText(async () =>
      minisignFormat.verify(await key('signify'), await signature('hello_world.txt.minisig'), data)
    ),
    'verification_failed: failed to verify signature',
    'another key'
  )
})

t.test('the three forms of a key', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32))
  const encoded = encodeBase64(concatBytes(encodeUtf8('Ed'), new Uint8Array(8), raw))
  for (const [name, bytes] of [
    ['bare', encodeUtf8(encoded)],
    ['with newline', encodeUtf8(`${encoded}\n`)],
    ['with comment', encodeUtf8(`untrusted comment: x\n${encoded}\n`)],
    ['with comment and CRLF', encodeUtf8(`x\r\n${encoded}\r\n`)],
    [
      'with a comment that is not UTF-8',
      concatBytes(Uint8Array.of(0xff, 0x0a), encodeUtf8(encoded))
    ],
    ['32 raw bytes', raw]
  ] as const) {
    const parsed = await minisignFormat.parseKey(bytes)
    t.equal(text(parsed.canonical), encoded, name)
    const signed = concatBytes(encodeUtf8('Ed'), new Uint8Array(8), sign(null, data, privateKey))
    const parsedSignature = await minisignFormat.parseSignature(
      encodeUtf8(`c\n${encodeBase64(signed)}`)
    )
    await minisignFormat.verify(parsed, parsedSignature, data)
  }
})

t.test('refused keys', async (t) => {
  const message = 'invalid_request: unable to read minisign public key: Invalid encoded public key'
  for (const [name, bytes] of [
    ['empty', new Uint8Array(0)],
    ['31 bytes', new Uint8Array(31)],
    ['33 bytes', new Uint8Array(33)],
    ['41 bytes in base64', encodeUtf8(encodeBase64(new Uint8Array(41)))],
    ['no base64', encodeUtf8('comment\n!!!!')],
    ['two comments', encodeUtf8(`a\nb\n${encodeBase64(new Uint8Array(42))}`)]
  ] as const) {
    t.equal(await refusalText(() => minisignFormat.parseKey(bytes)), message, name)
  }
  t.equal(
    await refusalText(() => minisignFormat.parseKey(new Uint8Array(65_537))),
    'invalid_request: minisign public key longer than 65536 bytes'
  )
  t.equal(
    await refusalText(() => minisignFormat.parseKey(new Uint8Array(32))),
    'invalid_request: x509: Ed25519 public key is not a point of large order'
  )
})

t.test('refused signatures', async (t) => {
  const good = encodeBase64(new Uint8Array(74))
  const invalid = (problem: string) => `invalid_request: invalid signature provided: ${problem}`
  for (const [name, input, message] of [
    ['empty', '', invalid('1 lines detected')],
    ['one line', 'x', invalid('1 lines detected')],
    ['three lines', 'a\nb\nc', invalid('3 lines detected')],
    ['four lines, bad global signature', `a\n${good}\nb\n!!!!`, invalid('4 lines detected')],
    ['four lines, short global signature', `a\n${good}\nb\nAAAA`, invalid('4 lines detected')],
    [
      'four lines, short signature',
      `a\nAAAA\nb\n${encodeBase64(new Uint8Array(64))}`,
      invalid('4 lines detected')
    ],
    ['second line no base64', 'a\n!!!!', invalid('base64 decoding failed')],
    ['second line empty in the middle', 'a\n\nb', invalid('3 lines detected')],
    ['73 bytes', `a\n${encodeBase64(new Uint8Array(73))}`, invalid('incorrect size 73 detected')]
  ] as const) {
    t.equal(
      await refusalText(() => minisignFormat.parseSignature(encodeUtf8(input))),
      message,
      name
    )
  }
  t.equal(
    await refusalText(() => minisignFormat.parseSignature(new Uint8Array(65_537))),
    'invalid_request: minisign signature longer than 65536 bytes'
  )
  const accepted = await minisignFormat.parseSignature(
    encodeUtf8(`a\n${good}\ntrusted\n${encodeBase64(new Uint8Array(64))}\n\n`)
  )
  t.equal(text(accepted.canonical), `untrusted comment:\n${good}`, 'trailing newlines')
})

const PARSERS: readonly ((bytes: Uint8Array) => Promise<{ readonly canonical: Uint8Array }>)[] = [
  minisignFormat.parseKey,
  minisignFormat.parseSignature
]

t.test('mutated files: a LogError, or something canonical', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const files = FIXTURES.flatMap(([keyName, signatureName]) => [`${keyName}.pub`, signatureName])
  const originals = files.map((file) => encodeUtf8(rekorVectorText(`pki/minisign/${file}`)))
  let accepted = 0
  for (let i = 0; i < 1500; i++) {
    const bytes = mutate(random.pick(originals), random)
    for (const parse of PARSERS) {
      const parsed = await unlessRefused(() => parse(bytes))
      if (parsed === undefined) continue
      accepted++
      const again = await parse(parsed.canonical)
      if (!equalBytes(again.canonical, parsed.canonical)) t.fail(Buffer.from(bytes).toString('hex'))
    }
  }
  t.ok(accepted > 0, `${accepted} accepted`)
})
