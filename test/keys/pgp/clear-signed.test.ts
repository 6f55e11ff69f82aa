import t from 'tap'
import { findClearSigned, MAX_CLEAR_SIGNED_BYTES } from '../../../src/keys/pgp/clear-signed.js'
import { pgpFormat } from '../../../src/keys/pgp/format.js'
import { mutate } from '../../helpers/mutations.js'
import { armored, makeKey, makeSignature, packet, simpleRing, utf8 } from '../../helpers/pgp.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { rekorVector } from '../../helpers/vectors.js'

const SIGNATURE = '-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n-----END PGP SIGNATURE-----\n'
const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----\n'
const message = (body: string, headers = 'Hash: SHA512\n') =>
  `${BEGIN}${headers}\n${body}${SIGNATURE}`
const ofBytes = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

function read(text: string) {
  const found = findClearSigned(utf8(text))
  return found && [ofBytes(found.text), ofBytes(found.signed), ofBytes(found.signature.decode())]
}

async function verify(key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
  const found = findClearSigned(bytes)
  if (found === undefined) throw new Error('nothing found')
  const signature = await pgpFormat.parseSignature(found.signature.decode())
  await pgpFormat.verify(await pgpFormat.parseKey(key), signature, found.signed)
  return found.text
}

t.test('text, what is signed, and the signature', async (t) => {
  const cases: Readonly<Record<string, readonly [body: string, text: string]>> = {
    'one line': ['a\n', 'a'],
    lines: ['a\n\nb\n', 'a\n\nb'],
    'the last line end counts not, the one before it does': ['a\n\n', 'a\n'],
    'CR LF': ['a\r\nb\r\n', 'a\nb'],
    'CR within': ['a\rb\r\r\n', 'a\rb\r'],
    'white space at line ends': ['a \t \n \t\nb c\n', 'a\n\nb c'],
    'escaped dashes': [
      '- -----BEGIN PGP SIGNATURE-----\n- - a\n-b\n',
      '-----BEGIN PGP SIGNATURE-----\n- a\n-b'
    ],
    'almost a signature': [
      ' -----BEGIN PGP SIGNATURE-----\n-----BEGIN PGP SIGNATURE----- \n',
      ' -----BEGIN PGP SIGNATURE-----\n-----BEGIN PGP SIGNATURE-----'
    ],
    nothing: ['', ''],
    'other bytes': ['é\u0000\n', 'é\u0000']
  }
  for (const [name, [body, text]] of Object.entries(cases)) {
    t.same(read(message(body)), [text, text.replaceAll('\n', '\r\n'), 'hello'], name)
  }
})

t.test('what else is taken for the message "a"', async (t) => {
  const plain = message('a\n')
  const cases: Readonly<Record<string, string>> = {
    'CR LF': plain.replaceAll('\n', '\r\n'),
    'text before and after': `Hello,\n${plain}bye\n${message('b\n')}`,
    'no headers': message('a\n', ''),
    'several hashes': message('a\n', ' Hash : SHA256 ,md5\nHash:SHA3-512\n'),
    'white space for an empty line': plain.replace('\n\n', '\n \t\r\n'),
    'no line end at the end': plain.slice(0, -1),
    'text after the end on its line': `${plain.slice(0, -1)} bye`,
    'headers in the signature': plain.replace(
      'SIGNATURE-----\n\n',
      'SIGNATURE-----\nVersion: 1\n\n'
    )
  }
  for (const [name, text] of Object.entries(cases)) t.same(read(text), ['a', 'a', 'hello'], name)
})

t.test('what is no message, or not a whole one', async (t) => {
  const plain = message('a\n')
  const cases: Readonly<Record<string, string>> = {
    nothing: '',
    'a detached signature': SIGNATURE,
    'not at the start of a line': ` ${plain}`,
    'text after the begin': plain.replace('MESSAGE-----', 'MESSAGE----- '),
    'text after the first of two begins': `${BEGIN.slice(0, -1)}x\n${plain}`,
    'only the begin': BEGIN,
    'nothing after the headers': `${BEGIN}Hash: SHA512\n`,
    'another header': message('a\n', 'Version: 1\n'),
    'no header at all': message('a\n', 'Hash SHA512\n'),
    'another hash': message('a\n', 'Hash: SHA512, WHIRLPOOL\n'),
    'an empty hash': message('a\n', 'Hash:\n'),
    'a control character': message('a\n', 'Hash: SHA512\u0001\n'),
    'a character beyond ASCII': message('a\n', 'Hash: SHA512é\n'),
    'no signature': `${BEGIN}\na\n`,
    'no end': plain.slice(0, plain.indexOf('-----END')),
    'an end before the begin': `-----END PGP SIGNATURE-----\n${plain.slice(0, plain.indexOf('-----END'))}`,
    'no empty line in the signature': plain.replace('SIGNATURE-----\n\n', 'SIGNATURE-----\n')
  }
  for (const [name, text] of Object.entries(cases)) t.equal(read(text), undefined, name)
})

t.test('a message that is too large', async (t) => {
  const text = message('a\n').padEnd(MAX_CLEAR_SIGNED_BYTES, 'x')
  t.same(read(text), ['a', 'a', 'hello'])
  t.equal(
    await refusalText(() => read(`${text}x`)),
    'invalid_request: PGP message over 4194304 bytes'
  )
})

t.test('messages that other software signed', async (t) => {
  const node = rekorVector('rekord/node/sig.asc')
  const text = await verify(rekorVector('rekord/node/key'), node)
  t.equal(`${ofBytes(text)}\n`, ofBytes(rekorVector('rekord/node/SHASUMS256.txt')), 'GnuPG, text')
  const helm = rekorVector('helm/test-0.1.0.tgz.prov')
  const helmKey = rekorVector('helm/test_helm_armor.pub')
  t.match(ofBytes(await verify(helmKey, helm)), /^apiVersion: v2\n[^]*a7b3b29f$/, 'Helm, binary')
  const changed = utf8(ofBytes(helm).replace('version: 0.1.0', 'version: 0.1.1'))
  t.match(await refusalText(() => verify(helmKey, changed)), /^verification_failed: /)
})

t.test('what we sign ourselves verifies in either type', async (t) => {
  const key = makeKey('ed25519')
  const signed = utf8('- a\r\n\r\nb')
  for (const type of [0, 1]) {
    const signature = armored('PGP SIGNATURE', packet(2, makeSignature(key, type, signed)))
    const text = `${BEGIN}\n- - a  \n\nb\t\n${ofBytes(signature)}`
    t.equal(ofBytes(await verify(simpleRing(key), utf8(text))), '- a\n\nb', `type ${type}`)
  }
})

t.test('mutated messages', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const fixtures = [rekorVector('helm/test-0.1.0.tgz.prov'), utf8(message('a\n- b\n'))]
  const failures: string[] = []
  let found = 0
  for (let i = 0; i < 3000; i++) {
    const bytes =
      i % 4 === 0 ? random.bytes(random.below(200)) : mutate(random.pick(fixtures), random)
    const read = await unlessRefused(() => {
      const message = findClearSigned(bytes)
      message?.signature.decode()
      return message
    })
    if (read === undefined) continue
    found++
    // One text has one form that is signed.
    if (
      ofBytes(read.signed).replaceAll('\r\n', '\n') !== ofBytes(read.text).replaceAll('\r\n', '\n')
    ) {
      failures.push(Buffer.from(bytes).toString('base64'))
    }
  }
  t.same(failures, [])
  t.ok(found > 0)
})
