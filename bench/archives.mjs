// Hostile archives: what people post who want a server to unpack, sort, hash or remember more than they had to send. Nearly all are
// refused, and what is measured is who else notices. All of them are made here; signatures are good where a bad one would end the work early.
import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, crc32, deflateRawSync, gzipSync } from 'node:zlib'

const MEGABYTE = 1e6
const VECTORS = new URL('../test/vectors/rekor/', import.meta.url)

const vector = (path) => readFileSync(new URL(path, VECTORS))
const base64 = (bytes) => Buffer.from(bytes).toString('base64')
const entry = (kind, spec) => JSON.stringify({ kind, apiVersion: '0.0.1', spec })
const sha256 = (bytes) => createHash('sha256').update(bytes).digest()

// ---- gzip and tar ----

/** Deflated zeros that can be repeated: whole blocks, ending at a byte, without a final one. */
const ZEROS = deflateRawSync(Buffer.alloc(8 * MEGABYTE), {
  level: 9,
  finishFlush: constants.Z_FULL_FLUSH
})
const ZEROS_CRC = crc32(Buffer.alloc(8 * MEGABYTE))
const LAST_BLOCK = Buffer.from([0x03, 0x00])

/** A deflate stream of so many bytes that unpacks to a thousand times as many. */
function deflatedZeros(packedBytes) {
  const times = Math.max(1, Math.floor(packedBytes / ZEROS.length))
  return Buffer.concat([...Array(times).fill(ZEROS), LAST_BLOCK])
}

const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])

/** Its check sum is wrong, which only who has unpacked all of it can know. */
const gzipBomb = (packedBytes) =>
  Buffer.concat([GZIP_HEAD, deflatedZeros(packedBytes), Buffer.alloc(8)])

/** One file of a tar archive. @param declared its size, as it is declared */
function tarFile(name, content, declared = content.length) {
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write('0000644\0', 100)
  head.write(`${declared.toString(8).padStart(11, '0')}\0`, 124)
  head.write('        ', 148)
  head.write('0', 156)
  head.write('ustar\u000000', 257)
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([head, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}

// ---- alpine ----

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaPem = rsa.publicKey.export({ type: 'spki', format: 'pem' })

const alpine = (file) =>
  entry('alpine', {
    package: { content: base64(file) },
    publicKey: { content: base64(rsaPem) }
  })

/** Signed, all sums right. @param data members behind the control member @param more files of the control member */
function apk(data, more = []) {
  const info = `pkgname = hostile\npkgver = ${randomBytes(8).toString('hex')}\ndatahash = ${sha256(data).toString('hex')}\n`
  const control = gzipSync(Buffer.concat([tarFile('.PKGINFO', Buffer.from(info)), ...more]))
  const signature = sign('sha1', control, rsa.privateKey)
  return Buffer.concat([gzipSync(tarFile('.SIGN.RSA.hostile.rsa.pub', signature)), control, data])
}

const emptyMember = gzipSync(Buffer.alloc(0))
const emptyMembers = (bytes) =>
  Buffer.concat(Array(Math.floor(bytes / emptyMember.length)).fill(emptyMember))

const tarredZeros = (packedBytes) =>
  Buffer.concat([
    GZIP_HEAD,
    deflateRawSync(tarFile('.SIGN.RSA.hostile.rsa.pub', Buffer.alloc(0), 8 ** 11 - 1), {
      finishFlush: constants.Z_FULL_FLUSH
    }),
    deflatedZeros(packedBytes),
    Buffer.alloc(8)
  ])

// ---- zip and jar ----

/** @param files [{ name, packed, crc, size, at }]; `at`: where it lies, for those that share what they hold */
function zip(files) {
  const parts = []
  const directory = []
  let offset = 0
  for (const { name, packed, crc = 0, size, sharesWith } of files) {
    const text = Buffer.from(name)
    const fields = Buffer.alloc(22)
    fields.writeUInt16LE(8, 4) // deflate
    fields.writeUInt32LE(crc, 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(size, 18)
    fields.writeUInt16LE(20, 0)
    const tail = Buffer.alloc(4)
    tail.writeUInt16LE(text.length, 0)
    const at = sharesWith ?? offset
    if (sharesWith === undefined) {
      const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, tail, text, packed])
      parts.push(local)
      offset += local.length
    }
    const place = Buffer.alloc(14)
    place.writeUInt32LE(at, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), fields, tail, place, text)
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(Math.min(files.length, 0xffff), 8)
  end.writeUInt16LE(Math.min(files.length, 0xffff), 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, central, end])
}

function zipped(name, content) {
  const bytes = Buffer.from(content)
  return {
    name,
    packed: deflateRawSync(bytes),
    crc: crc32(bytes),
    size: bytes.length
  }
}

/** Its check sum is that of as many zeros as one of it unpacks to. */
const bombFile = (name, packedBytes, declared = 100) => ({
  name,
  packed: deflatedZeros(packedBytes),
  crc: ZEROS_CRC,
  size: declared
})

const jar = (files) => entry('jar', { archive: { content: base64(zip(files)) } })

/** Signs a manifest with openssl; undefined where there is none. */
function jarSigner() {
  const folder = mkdtempSync(join(tmpdir(), 'sigstead-bench-jar-'))
  const path = (name) => join(folder, name)
  const openssl = (...args) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=hostile', '-days', '9'],
      ...['-keyout', path('key'), '-out', path('cert')]
    )
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return (text) => {
    writeFileSync(path('text'), text)
    return openssl(
      ...['cms', '-sign', '-binary', '-md', 'sha256', '-outform', 'DER', '-in', path('text')],
      ...['-signer', path('cert'), '-inkey', path('key')]
    )
  }
}

let signer
/** A JAR that is signed like any other. @param listed [[name, digest], …] @param files what is in it beside */
function signedJar(listed, files) {
  signer ??= jarSigner()
  if (signer === undefined) return undefined
  const sections = listed.map(
    ([name, digest]) => `Name: ${name}\r\nSHA-256-Digest: ${digest}\r\n\r\n`
  )
  const manifest = `Manifest-Version: 1.0\r\nCreated-By: ${randomBytes(6).toString('hex')}\r\n\r\n${sections.join('')}`
  const signature = `Signature-Version: 1.0\r\nSHA-256-Digest-Manifest: ${base64(sha256(manifest))}\r\n\r\n`
  return jar([
    zipped('META-INF/MANIFEST.MF', manifest),
    zipped('META-INF/HOSTILE.SF', signature),
    zipped('META-INF/HOSTILE.RSA', signer(signature)),
    ...files
  ])
}

/** Each member listed with a digest that is right, but for the last: all of them have to be unpacked and hashed. */
function jarOfThousands(count) {
  const files = Array.from({ length: count }, (_, i) => zipped(`f${i}`, `${i}`))
  const listed = files.map(({ name }, i) => [name, base64(sha256(i === count - 1 ? 'x' : `${i}`))])
  return signedJar(listed, files)
}

/** Thousands of names for the same bomb. */
function jarOfOverlaps(count, packedBytes) {
  const bomb = bombFile('f0', packedBytes, 8 * MEGABYTE)
  const names = Array.from({ length: count }, (_, i) => `f${i}`)
  return signedJar(
    names.map((name) => [name, base64(sha256('x'))]),
    [bomb, ...names.slice(1).map((name) => ({ ...bomb, name, sharesWith: 0 }))]
  )
}

/** Sixteen gigabytes, no member of which is very large. */
function jarOfBombs(count) {
  const digest = base64(sha256(Buffer.alloc(8 * MEGABYTE)))
  const names = Array.from({ length: count }, (_, i) => `f${i}`)
  return signedJar(
    names.map((name) => [name, digest]),
    names.map((name) => bombFile(name, 8000, 8 * MEGABYTE))
  )
}

/** An archive in an archive in an archive. */
function deepZip(levels) {
  let inner = Buffer.alloc(1000)
  for (let i = 0; i < levels; i++) inner = zip([zipped('META-INF/MANIFEST.MF', inner)])
  return entry('jar', { archive: { content: base64(inner) } })
}

// ---- rpm ----

const rpm = (file) =>
  entry('rpm', {
    package: { content: base64(file) },
    publicKey: { content: base64(vector('rpm/test_rpm_public_key.key')) }
  })

/** A good head, and a payload of so many megabytes that it does not speak of. */
const longRpm = (megabytes) =>
  rpm(Buffer.concat([vector('rpm/test.rpm'), randomBytes(megabytes * MEGABYTE)]))

/** The lead of a good package, and a header of `entries` entries. */
function rpmHeader(entries, dataBytes, index) {
  const intro = Buffer.from([0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  intro.writeUInt32BE(entries >>> 0, 8)
  intro.writeUInt32BE(dataBytes >>> 0, 12)
  return rpm(Buffer.concat([vector('rpm/test.rpm').subarray(0, 96), intro, index]))
}

// ---- what is no archive ----

const clearSigned = (text) => {
  const signature = vector('helm/test-0.1.0.tgz.prov').toString('latin1')
  return `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${text}\n${signature.slice(signature.indexOf('-----BEGIN PGP SIGNATURE'))}`
}

const helm = (text) =>
  entry('helm', {
    chart: { provenance: { content: base64(clearSigned(text)) } },
    publicKey: { content: base64(vector('helm/test_helm_armor.pub')) }
  })

/** Nine levels of nine times the level below. */
function manyLaughs() {
  const levels = ['a: &l0 [x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 10; i++)
    levels.push(
      `b${i}: &l${i} [${Array(9)
        .fill(`*l${i - 1}`)
        .join(', ')}]`
    )
  return `name: x\n...\n${levels.join('\n')}\nfiles: *l9\n`
}

const yamlOfMany = (bytes) => `name: x\n...\nfiles:\n${'  - {a: [b]}\n'.repeat(bytes / 13)}`

const cose = (message) =>
  entry('cose', {
    data: {},
    message: base64(message),
    publicKey: base64(vector('cose/test_cose.pub'))
  })

/** A message that goes on with so many bytes in place of its unprotected header. */
const coseOf = (bytes) => Buffer.concat([Buffer.from([0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26]), bytes])

/** A map of so many numbers, none of them twice. */
function cborMap(count) {
  const map = Buffer.alloc(5 + 6 * count, 0xf6)
  map[0] = 0xba
  map.writeUInt32BE(count, 1)
  for (let i = 0; i < count; i++) {
    map[5 + 6 * i] = 0x1a
    map.writeUInt32BE(0x10000 + i, 6 + 6 * i)
  }
  return map
}

/** Every signature of every key has to be tried. */
function tuf(count) {
  const keys = {}
  const signatures = []
  for (let i = 0; i < count; i++) {
    const keyid = i.toString(16).padStart(64, '0')
    keys[keyid] = {
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: randomBytes(32).toString('hex') }
    }
    signatures.push({ keyid, sig: randomBytes(64).toString('hex') })
  }
  const role = { keyids: Object.keys(keys), threshold: 1 }
  const roles = { root: role, timestamp: role, snapshot: role, targets: role }
  const common = { expires: '2099-01-01T00:00:00Z', spec_version: '1.0', version: 1 }
  const root = { signatures, signed: { _type: 'root', keys, roles, ...common } }
  return entry('tuf', { metadata: { content: root }, root: { content: root } })
}

const rfc3161 = (bytes) => entry('rfc3161', { tsr: { content: base64(Buffer.alloc(bytes, 0x30)) } })

/**
 * Everything there is. Small ones are up to 16 kB and go to the threads that verify; large ones have threads of their own.
 *
 * @returns [{ name, isLarge, make() }]; `make` gives the body of a request, each time another one where that matters
 */
export function hostileArchives() {
  const small = {
    'gzip bomb, 8 MB': () => alpine(gzipBomb(8000)),
    'tar with 8 GB declared': () => alpine(tarredZeros(8000)),
    'bomb behind a good signature': () =>
      alpine(apk(Buffer.alloc(0), [tarFile('x', Buffer.alloc(6 * MEGABYTE))])),
    '500 gzip members': () => alpine(apk(emptyMembers(9000))),
    'manifest bomb': () =>
      jar(
        ['MANIFEST.MF', 'HOSTILE.SF', 'HOSTILE.RSA'].map((name) =>
          bombFile(`META-INF/${name}`, 8000)
        )
      ),
    'signed JAR, one bomb by 80 names': () => jarOfOverlaps(80, 8000),
    'zip in zip, 12 times': () => deepZip(12),
    'RPM of negative sizes': () => rpmHeader(-1, -16, randomBytes(100)),
    'YAML of aliases': () => helm(manyLaughs()),
    'CBOR, 8,000 deep': () => cose(coseOf(Buffer.alloc(8000, 0x81))),
    'timestamp, 10,000 deep': () => rfc3161(10_000),
    '30 keys, 30 signatures': () => tuf(30)
  }
  const large = {
    'gzip bomb, 20 GB': () => alpine(gzipBomb(20 * MEGABYTE)),
    'a million gzip members': () => alpine(emptyMembers(20 * MEGABYTE)),
    'APK of 30 MB': () => alpine(apk(randomBytes(30 * MEGABYTE))),
    'signed JAR, 8,000 members': () => jarOfThousands(8000),
    'signed JAR, a member of 20 GB': () =>
      signedJar([['f', base64(sha256('x'))]], [bombFile('f', 20 * MEGABYTE, 2 ** 31)]),
    'signed JAR, 60 times 8 MB': () => jarOfBombs(60),
    'signed JAR, 2,000 times 8 MB': () => jarOfBombs(2000),
    'signed JAR, 8 MB by 8,000 names': () => jarOfOverlaps(8000, 8000),
    'zip of 65,000 members': () => {
      const empty = zipped('', '')
      return jar(Array.from({ length: 65_000 }, (_, i) => ({ ...empty, name: `f${i}` })))
    },
    'RPM of 30 MB': () => longRpm(30),
    'RPM with 1.8 million entries': () =>
      rpmHeader(1_800_000, 16, Buffer.alloc(1_800_000 * 16 + 16, 1)),
    'YAML of 20 MB': () => helm(yamlOfMany(20 * MEGABYTE)),
    'clear-signed, 20 MB of dashes': () => helm('- \n'.repeat((20 * MEGABYTE) / 3)),
    'CBOR map of 3 million': () => cose(coseOf(cborMap(3_000_000))),
    '30,000 keys and signatures': () => tuf(30_000),
    'JSON of 10 million lists': () =>
      `{"kind":"tuf","apiVersion":"0.0.1","spec":[${'[],'.repeat(1e7)}1]}`
  }
  return [
    ...Object.entries(small).map(([name, make]) => ({ name, isLarge: false, make })),
    ...Object.entries(large).map(([name, make]) => ({ name, isLarge: true, make }))
  ]
}
