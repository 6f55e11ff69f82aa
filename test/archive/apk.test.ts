import t from 'tap'
import {
  DEFAULT_MAX_APK_METADATA_BYTES,
  MAX_APK_TAR_BYTES,
  readApk
} from '../../src/archive/apk.js'
import { gzip, join, tarFile, tarHeader } from '../helpers/apk.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const FIXTURE = rekorVector('alpine/test_alpine.apk')
const LIMIT = DEFAULT_MAX_APK_METADATA_BYTES
const MIB = 1 << 20
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

interface Parts {
  readonly signatures?: Uint8Array
  readonly control?: Uint8Array
  readonly data?: Uint8Array
}

const SIGNATURE = tarFile('.SIGN.RSA.key', 'signature')
const PKGINFO = tarFile('.PKGINFO', 'pkgname = a')
const DATA = gzip('files')

function apk({ signatures = SIGNATURE, control = PKGINFO, data = DATA }: Parts): Uint8Array {
  return join(gzip(signatures), gzip(control), data)
}
const read = (parts: Parts, limit = LIMIT) => readApk(apk(parts), limit)
const refused = (parts: Parts, limit = LIMIT) => refusalText(() => read(parts, limit))

t.test('a real package', async (t) => {
  const { signature, control, pkginfo, data } = readApk(FIXTURE, LIMIT)
  t.equal(signature.length, 256)
  t.same(control, FIXTURE.slice(407, 905))
  t.same(data, FIXTURE.slice(905))
  t.equal(pkginfo.get('pkgname'), 'apache2-ctl')
  t.equal(pkginfo.size, 15)
})

t.test('the limit of metadata', async (t) => {
  t.equal(readApk(FIXTURE, 1024).signature.length, 256)
  t.equal(readApk(FIXTURE, 0).signature.length, 256, 'none')
  for (const [limit, message] of [
    [1023, 'decompressed size (1024) for signature.tar.gz exceeds max allowed size 1023'],
    [10, 'decompressed size (11) for signature.tar.gz exceeds max allowed size 10']
  ] as const) {
    t.equal(await refusalText(() => readApk(FIXTURE, limit)), `invalid_request: ${message}`)
  }
})

t.test('signatures', async (t) => {
  const pem = '-----BEGIN X-----\nc2lnbg==\n-----END X-----\n'
  const signature = (...parts: readonly Uint8Array[]) =>
    text(read({ signatures: join(...parts) }).signature)
  t.equal(signature(tarFile('.SIGN.RSA.key', 'raw')), 'raw')
  t.equal(signature(tarFile('.SIGN.RSA256.key', pem)), 'sign', 'PEM')
  t.equal(signature(tarFile('.SIGNATURE', 'any')), 'any', 'by its prefix')
  t.equal(
    signature(tarFile('a', 'x'), tarFile('.SIGN.a', 'first'), tarFile('.SIGN.b', 'second')),
    'first'
  )
  t.equal(signature(tarFile('.SIGN.a', '')), '', 'an empty one')
  t.equal(signature(tarHeader({ name: '.SIGN.a', type: '5', size: 512 })), '', 'a directory')
  const long = `${' '.repeat(20_000)}\n${pem}`
  t.equal(signature(tarFile('.SIGN.a', long)), long, 'too long to be searched for PEM')

  const none = 'invalid_request: no signature detected in alpine package'
  t.equal(await refused({ signatures: tarFile('SIGN', 'x') }), none)
  t.equal(await refused({ signatures: tarFile('.sign', 'x') }), none)
  t.equal(await refused({ signatures: new Uint8Array(0) }), none)
})

t.test('.PKGINFO', async (t) => {
  const info = (...parts: readonly Uint8Array[]) =>
    Object.fromEntries(read({ control: join(...parts) }).pkginfo)
  t.same(info(tarFile('.pre-install', '#!'), PKGINFO), { pkgname: 'a' })
  t.equal(
    await refused({ control: join(PKGINFO, tarFile('.pre-install', ''), PKGINFO) }),
    'invalid_request: more than one .PKGINFO file in alpine package'
  )
  const missing = 'invalid_request: .PKGINFO file was not located'
  t.equal(await refused({ control: tarFile('./.PKGINFO', 'a = b') }), missing)
  t.equal(await refused({ control: tarFile('.PKGINFO2', 'a = b') }), missing)
  t.equal(await refused({ control: new Uint8Array(0) }), missing)
  t.equal(
    await refused({ control: tarFile('.PKGINFO', 'broken') }),
    'invalid_request: parsing .PKGINFO: key-value delimiter not found: broken'
  )
})

t.test('missing members', async (t) => {
  t.equal(
    await refusalText(() => readApk(new Uint8Array(0), LIMIT)),
    'invalid_request: create gzip reader: unexpected EOF'
  )
  t.equal(
    await refusalText(() => readApk(gzip(SIGNATURE), LIMIT)),
    'invalid_request: .PKGINFO file was not located'
  )
  t.equal(read({ data: new Uint8Array(0) }).data.length, 0, 'no data: for the datahash to say')
})

t.test('members that are something else, or cut off', async (t) => {
  const cases: readonly (readonly [name: string, bytes: Uint8Array, message: string])[] = [
    ['tar', SIGNATURE, 'create gzip reader: gzip: invalid header'],
    [
      'tar behind',
      join(gzip(SIGNATURE), PKGINFO),
      'resetting to control.tar.gz: gzip: invalid header'
    ],
    ['header', FIXTURE.slice(0, 9), 'create gzip reader: unexpected EOF'],
    ['signature', FIXTURE.slice(0, 406), 'reading signature.tar.gz: unexpected EOF'],
    ['second header', FIXTURE.slice(0, 410), 'resetting to control.tar.gz: unexpected EOF'],
    ['control', FIXTURE.slice(0, 904), 'reading control.tar.gz: unexpected EOF']
  ]
  for (const [name, bytes, message] of cases) {
    t.equal(await refusalText(() => readApk(bytes, LIMIT)), `invalid_request: ${message}`, name)
  }
})

t.test('huge members of the archives', async (t) => {
  const name = '.SIGN.RSA.key'
  const claim = (of: string, size: number) =>
    tarHeader({ name: of, size: Uint8Array.from(Buffer.from(size.toString(8).padStart(11, '0'))) })
  const sizes = (of: string, size: number) =>
    `invalid_request: uncompressed ${of} file size ${size} exceeds max allowed size ${LIMIT}`
  t.equal(await refused({ signatures: claim(name, 2 ** 33 - 1) }), sizes('.SIGN', 2 ** 33 - 1))
  t.equal(
    await refused({ control: claim('.PKGINFO', 2 ** 33 - 1) }),
    sizes('.PKGINFO', 2 ** 33 - 1)
  )
  t.equal(
    await refused({ signatures: tarFile(name, new Uint8Array(MIB)) }),
    `invalid_request: decompressed size (${LIMIT + 1}) for signature.tar.gz exceeds max allowed size ${LIMIT}`
  )
  const noise = seededRandom(1).bytes(MIB + 1) // not dense enough to be a bomb
  t.equal(await refused({ control: tarFile('.PKGINFO', noise) }), sizes('.PKGINFO', MIB + 1))
  t.equal(read({ control: join(tarFile('.post-install', noise), PKGINFO) }).pkginfo.size, 1)
  t.equal(
    await refused({ control: claim('.PKGINFO', 2 ** 33 - 1) }, 0),
    'invalid_request: getting next entry in tar archive: unexpected EOF',
    'without a limit'
  )
  const negative = { name, size: new Uint8Array(12).fill(0xff) }
  const invalid =
    'invalid_request: getting next entry in tar archive: archive/tar: invalid tar header'
  t.equal(await refused({ signatures: tarHeader(negative) }), invalid)
  t.equal(await refused({ control: tarHeader({ ...negative, name: '.PKGINFO' }) }), invalid)
})

t.test('bombs of several members', async (t) => {
  const bomb = gzip(new Uint8Array(4 * MIB))
  const huge = gzip(new Uint8Array(MAX_APK_TAR_BYTES + 1))
  const many = join(...Array.from({ length: 50 }, () => bomb))
  t.equal(
    await refusalText(() => readApk(many, LIMIT)),
    `invalid_request: decompressed size (${LIMIT + 1}) for signature.tar.gz exceeds max allowed size ${LIMIT}`
  )
  t.equal(
    await refusalText(() => readApk(join(gzip(SIGNATURE), bomb), LIMIT)),
    'too_large: reading control.tar.gz: gzip: content is over 200 times as large as what it is made from'
  )
  // With enough behind them they are not too dense any more.
  const padded = join(gzip(SIGNATURE), huge, new Uint8Array(MIB))
  t.equal(
    await refusalText(() => readApk(padded, LIMIT)),
    `too_large: decompressed size for control.tar.gz exceeds max allowed size ${MAX_APK_TAR_BYTES}`
  )
  t.equal(
    await refusalText(() => readApk(join(huge, new Uint8Array(MIB)), 0)),
    `invalid_request: decompressed size (${MAX_APK_TAR_BYTES + 1}) for signature.tar.gz exceeds max allowed size ${MAX_APK_TAR_BYTES}`
  )
  t.equal(read({ data: many }).data.length, many.length, 'data are not unpacked')
  const nothing = gzip('')
  const empty = join(...Array.from({ length: 1000 }, () => nothing))
  t.equal(
    await refusalText(() => readApk(empty, LIMIT)),
    'invalid_request: no signature detected in alpine package'
  )
})

t.test('strangers bytes are packages or refused', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const inside = [SIGNATURE, PKGINFO, tarFile('.PKGINFO', 'a = `b\nc`\nd = "e"\n')] as const
  let packages = 0
  for (let i = 0; i < 500; i++) {
    const bytes =
      i % 2 === 0
        ? mutate(FIXTURE, random)
        : apk({
            signatures: random.below(2) === 0 ? mutate(inside[0], random) : inside[0],
            control: mutate(random.pick(inside), random)
          })
    const found = await unlessRefused(() => readApk(bytes, LIMIT))
    if (found !== undefined) packages++
  }
  t.ok(packages > 25, 'those with other data among them')
})
