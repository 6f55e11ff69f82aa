import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { encodeBase64 } from '../../src/encoding/base64.js'
import { concatBytes, equalBytes } from '../../src/encoding/bytes.js'
import { bytesToBigInt } from '../../src/encoding/der.js'
import { decodePem, encodePem } from '../../src/encoding/pem.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { sshFormat } from '../../src/keys/ssh.js'
import { encodeSshKey } from '../../src/keys/ssh-key.js'
import { encodeSshMpint, encodeSshString, encodeSshUint32 } from '../../src/keys/ssh-wire.js'
import { hashData } from '../../src/keys/verify.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { computedVector, rekorVector } from '../helpers/vectors.js'

const file = (name: string) =>
  Uint8Array.from(readFileSync(new URL(`../vectors/openssh/${name}`, import.meta.url)))
const data = file('message.txt')
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const parse = (keyFile: string, signatureFile: string) =>
  Promise.all([sshFormat.parseKey(file(keyFile)), sshFormat.parseSignature(file(signatureFile))])

t.test('signatures made by OpenSSH', async (t) => {
  t.equal(sshFormat.name, 'ssh')
  for (const name of ['rsa', 'ecdsa256', 'ecdsa384', 'ecdsa521', 'ed25519', 'ed25519-cert']) {
    const [key, signature] = await parse(`${name}.pub`, `${name}.sig`)
    await sshFormat.verify(key, signature, data)
    t.same(key.subjects, ['signer@example.com'])
    t.equal(
      text(key.canonical),
      `${text(file(`${name}.pub`))
        .split(' ')
        .slice(0, 2)
        .join(' ')}\n`
    )
    t.ok(
      equalBytes(
        decodePem(signature.canonical)?.block.bytes ?? data,
        decodePem(file(`${name}.sig`))?.block.bytes ?? data
      ),
      'only the line length changes'
    )
    t.match(text(signature.canonical), /^-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/]{64}\n/)
    const again = await sshFormat.parseSignature(signature.canonical)
    t.ok(equalBytes(again.canonical, signature.canonical))
    t.match(
      await refusalText(() => sshFormat.verify(key, signature, encodeUtf8('other'))),
      name === 'rsa'
        ? 'verification_failed: crypto/rsa: verification error'
        : 'verification_failed: ssh: signature did not verify',
      name
    )
  }
})

t.test('the certificate and its key verify the same', async (t) => {
  const [key, signature] = await parse('ed25519.pub', 'ed25519-cert.sig')
  await sshFormat.verify(key, signature, data)
  const [certificate, plain] = await parse('ed25519-cert.pub', 'ed25519.sig')
  await sshFormat.verify(certificate, plain, data)
  t.pass()
})

t.test('fixture and computed vector', async (t) => {
  const key = await sshFormat.parseKey(rekorVector('pki/ssh/id_rsa.pub'))
  const signature = await sshFormat.parseSignature(rekorVector('pki/ssh/hello_world.txt.sig'))
  await sshFormat.verify(key, signature, rekorVector('pki/ssh/hello_world.txt'))
  const body = computedVector('rekord-ssh').canonicalBody
  t.ok(body.includes(encodeBase64(signature.canonical)))
  t.ok(body.includes(encodeBase64(key.canonical)))
})

t.test('sha256 parses, is canonicalised to sha512, and so does not verify', async (t) => {
  const [key, signature] = await parse('ed25519.pub', 'ed25519-sha256.sig')
  t.equal(
    await refusalText(() => sshFormat.verify(key, signature, data)),
    'verification_failed: ssh: signature did not verify'
  )
})

t.test('a key of another type', async (t) => {
  const [key, signature] = await parse('ecdsa256.pub', 'ed25519.sig')
  t.equal(
    await refusalText(() => sshFormat.verify(key, signature, data)),
    'verification_failed: ssh: signature type ssh-ed25519 for key type ecdsa-sha2-nistp256'
  )
  const [other, wrongCurve] = await parse('ecdsa384.pub', 'ecdsa256.sig')
  t.match(
    await refusalText(() => sshFormat.verify(other, wrongCurve, data)),
    /signature type ecdsa/
  )
})

const signedMessage = concatBytes(
  encodeUtf8('SSHSIG'),
  ...['file', '', 'sha512', hashData('sha512', data)].map(encodeSshString)
)

interface Parts {
  readonly magic?: string
  readonly version?: number
  readonly publicKey?: Uint8Array
  readonly namespace?: string
  readonly reserved?: string
  readonly hash?: string
  readonly signature?: Uint8Array
  readonly label?: string
  readonly more?: Uint8Array
}

const edPair = generateKeyPairSync('ed25519')
const edBlob = blobOf(edPair.publicKey)
const edSignature = concatBytes(
  encodeSshString('ssh-ed25519'),
  encodeSshString(sign(null, signedMessage, edPair.privateKey))
)

function blobOf(publicKey: KeyObject): Uint8Array {
  const blob = encodeSshKey(parsePublicKey(publicKey.export({ type: 'spki', format: 'der' })))
  if (blob === undefined) throw new Error('no wire form')
  return blob
}

function armored(parts: Parts = {}): Uint8Array {
  const blob = concatBytes(
    encodeUtf8(parts.magic ?? 'SSHSIG'),
    encodeSshUint32(parts.version ?? 1),
    encodeSshString(parts.publicKey ?? edBlob),
    encodeSshString(parts.namespace ?? 'file'),
    encodeSshString(parts.reserved ?? ''),
    encodeSshString(parts.hash ?? 'sha512'),
    encodeSshString(parts.signature ?? edSignature),
    parts.more ?? new Uint8Array(0)
  )
  return encodeUtf8(encodePem(parts.label ?? 'SSH SIGNATURE', blob))
}

const line = (blob: Uint8Array, type: string) => encodeUtf8(`${type} ${encodeBase64(blob)}`)

t.test('the reserved field is dropped', async (t) => {
  const key = await sshFormat.parseKey(line(edBlob, 'ssh-ed25519'))
  t.same(key.subjects, [])
  const signature = await sshFormat.parseSignature(armored({ reserved: 'something' }))
  t.equal(text(signature.canonical), text(armored()))
  await sshFormat.verify(key, signature, data)
})

t.test('refused signatures', async (t) => {
  for (const [name, bytes, message] of [
    ['no PEM', encodeUtf8('x'), 'invalid_request: unable to decode pem file'],
    [
      'label',
      armored({ label: 'SIGNATURE' }),
      'invalid_request: wrong pem block type: SIGNATURE. Expected SSH-SIGNATURE'
    ],
    ['magic', armored({ magic: 'SSHSIH' }), 'invalid_request: invalid magic header'],
    ['version', armored({ version: 2 }), 'invalid_request: unsupported signature version: 2'],
    [
      'namespace',
      armored({ namespace: 'git' }),
      'invalid_request: invalid signature namespace: git'
    ],
    ['hash', armored({ hash: 'sha1' }), 'unsupported: unsupported hash algorithm: sha1'],
    ['public key', armored({ publicKey: new Uint8Array(0) }), 'invalid_request: ssh: short read'],
    ['signature', armored({ signature: encodeSshString('x') }), 'invalid_request: ssh: short read'],
    ['more', armored({ more: Uint8Array.of(0) }), 'invalid_request: ssh: trailing data'],
    [
      'empty block',
      encodeUtf8(encodePem('SSH SIGNATURE', new Uint8Array(0))),
      'invalid_request: ssh: short read'
    ],
    [
      'made for e-mail',
      file('ed25519-namespace-email.sig'),
      'invalid_request: invalid signature namespace: email'
    ],
    ['long', new Uint8Array(65_537), 'invalid_request: ssh: signature longer than 65536 bytes']
  ] as const) {
    t.equal(await refusalText(() => sshFormat.parseSignature(bytes)), message, name)
  }
})

t.test('authorized_keys lines', async (t) => {
  const blob = encodeBase64(edBlob)
  const good = `ssh-ed25519 ${blob}`
  for (const [name, input, subjects] of [
    ['bare', good, []],
    ['comment that is no address', `${good} me on my machine`, []],
    ['address', `${good} me@example.com\n`, ['me@example.com']],
    ['blanks', ` \t${good}\t  me@example.com  \r\n`, ['me@example.com']],
    [
      'after other lines',
      `# comment\n\nnonsense\nssh-ed25519 !!!!\n${good} me@example.com`,
      ['me@example.com']
    ],
    ['options', `no-pty,command="a b \\" c" ${good} me@example.com`, ['me@example.com']],
    ['option without blanks', `restrict ${good}`, []],
    ['the first key counts', `${good} a@b.c\n${text(file('rsa.pub'))}`, ['a@b.c']]
  ] as const) {
    const key = await sshFormat.parseKey(encodeUtf8(input))
    t.equal(text(key.canonical), `${good}\n`, name)
    t.same(key.subjects, subjects, name)
  }
  const lastLine = 'invalid_request: ssh: no key found; last parsing error for ignored line: '
  for (const [name, input, message] of [
    ['empty', '', 'invalid_request: ssh: no key found'],
    ['only comments', '# a\n#b', 'invalid_request: ssh: no key found'],
    ['one word', 'ssh-ed25519', 'invalid_request: ssh: no key found'],
    ['other type', `ssh-rsa ${blob}`, `${lastLine}ssh: line says ssh-rsa, its key is ssh-ed25519`],
    [
      'unclosed quote',
      `command="a b ${good}`,
      `${lastLine}ssh: key: illegal base64 data at input byte 0`
    ],
    [
      'type disagrees after options',
      `restrict ssh-rsa ${blob}`,
      `${lastLine}ssh: line says ssh-rsa, its key is ssh-ed25519`
    ]
  ] as const) {
    t.equal(await refusalText(() => sshFormat.parseKey(encodeUtf8(input))), message, name)
  }
  t.equal(
    await refusalText(() => sshFormat.parseKey(new Uint8Array(65_537))),
    'invalid_request: ssh: public key longer than 65536 bytes'
  )
})

t.test('RSA signatures without their leading zeros, and with SHA-1', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const blob = blobOf(publicKey)
  const key = await sshFormat.parseKey(line(blob, 'ssh-rsa'))
  for (const [format, hash] of [
    ['rsa-sha2-512', 'sha512'],
    ['rsa-sha2-256', 'sha256'],
    ['ssh-rsa', 'sha1']
  ] as const) {
    let bytes = sign(hash, signedMessage, privateKey)
    while (bytes[0] === 0) bytes = bytes.subarray(1)
    const signature = concatBytes(encodeSshString(format), encodeSshString(bytes))
    await sshFormat.verify(
      key,
      await sshFormat.parseSignature(armored({ publicKey: blob, signature })),
      data
    )
  }
  const short = concatBytes(encodeSshString('rsa-sha2-512'), encodeSshString(Uint8Array.of(1)))
  const signature = await sshFormat.parseSignature(armored({ publicKey: blob, signature: short }))
  t.equal(
    await refusalText(() => sshFormat.verify(key, signature, data)),
    'verification_failed: crypto/rsa: verification error'
  )
})

t.test('security keys', async (t) => {
  const flagsAndCounter = Uint8Array.of(1, 0, 0, 0, 9)
  const application = 'ssh:'
  const message = concatBytes(
    hashData('sha256', encodeUtf8(application)),
    flagsAndCounter,
    hashData('sha256', signedMessage)
  )
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const p1363 = sign('sha256', message, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
  const mpints = concatBytes(
    encodeSshMpint(bytesToBigInt(p1363.subarray(0, 32))),
    encodeSshMpint(bytesToBigInt(p1363.subarray(32)))
  )
  const point = ec.publicKey.export({ type: 'spki', format: 'der' }).subarray(-65)
  const raw = edBlob.subarray(-32)
  for (const [type, parts, bytes] of [
    ['sk-ecdsa-sha2-nistp256@openssh.com', ['nistp256', point], mpints],
    ['sk-ssh-ed25519@openssh.com', [raw], sign(null, message, edPair.privateKey)]
  ] as const) {
    const blob = concatBytes(...[type, ...parts, application].map((part) => encodeSshString(part)))
    const key = await sshFormat.parseKey(line(blob, type))
    const inner = concatBytes(encodeSshString(type), encodeSshString(bytes))
    const verify = async (rest: Uint8Array) =>
      sshFormat.verify(
        key,
        await sshFormat.parseSignature(
          armored({ publicKey: blob, signature: concatBytes(inner, rest) })
        ),
        data
      )
    await verify(flagsAndCounter)
    t.equal(
      await refusalText(() => verify(Uint8Array.of(5, 0, 0, 0, 9))),
      'verification_failed: ssh: signature did not verify',
      type
    )
    t.equal(
      await refusalText(() => verify(new Uint8Array(0))),
      'verification_failed: ssh: signature without flags and counter'
    )
  }
})

t.test('ECDSA blobs that are no two numbers', async (t) => {
  const [key, signature] = await parse('ecdsa256.pub', 'ecdsa256.sig')
  for (const [name, blob] of [
    ['cut', signature.blob.subarray(0, 30)],
    ['longer', concatBytes(signature.blob, Uint8Array.of(0))],
    ['zeros', concatBytes(encodeSshString(''), encodeSshString(''))]
  ] as const) {
    t.equal(
      await refusalText(() => sshFormat.verify(key, { ...signature, blob }, data)),
      'verification_failed: ssh: signature did not verify',
      name
    )
  }
})

const PARSERS: readonly ((bytes: Uint8Array) => Promise<{ readonly canonical: Uint8Array }>)[] = [
  sshFormat.parseKey,
  sshFormat.parseSignature
]

t.test('mutated files: a LogError, or something canonical', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const originals = [
    'ed25519.pub',
    'rsa.pub',
    'ed25519-cert.pub',
    'ecdsa256.sig',
    'ed25519.sig'
  ].map(file)
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
