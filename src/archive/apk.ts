import { decodePem } from '../encoding/pem.js'
import { LogError } from '../errors.js'
import { readGzipBody, readGzipHeader } from './gzip.js'
import { parseIni } from './ini.js'
import { readTar } from './tar.js'

/** Largest signature archive, signature and `.PKGINFO`, unless configured otherwise. In bytes. */
export const DEFAULT_MAX_APK_METADATA_BYTES = 1 << 20

/** Largest decompressed archive of control files, and of signatures where they have no limit of their own. In bytes. */
export const MAX_APK_TAR_BYTES = 20 << 20

/** A signature of RSA with 16,384 bits takes 3 kB of PEM. Anything larger is not searched for a PEM block. In bytes. */
const MAX_PEM_BYTES = 1 << 14

const TAR = 'getting next entry in tar archive'

/** A signed package, taken apart. */
export interface Apk {
  /** Raw, whatever encoding it had. */
  readonly signature: Uint8Array
  /** What is signed: the gzip member of the control files as it stands in the package. */
  readonly control: Uint8Array
  /** Keys and values of `.PKGINFO`. */
  readonly pkginfo: ReadonlyMap<string, string>
  /** What `datahash` of `.PKGINFO` is about: all that follows the control files. */
  readonly data: Uint8Array
}

/**
 * Takes a package of apk-tools 2 apart and checks nothing of it:
 *
 *     gzip(tar(.SIGN.RSA.<key name>)) gzip(tar(.PKGINFO, scripts)) gzip(tar(files))...
 *
 * The first two tar archives have no end, so that all of them unpacked are one. Only those two are decompressed.
 *
 * @param maxMetadataBytes limits the signature archive, each signature and each `.PKGINFO`; 0: only as MAX_APK_TAR_BYTES does
 * @throws LogError `invalid_request` with Rekor's texts, `unsupported`, `too_large`
 * @see rekor-v1 §8.8
 */
export function readApk(bytes: Uint8Array, maxMetadataBytes: number): Apk {
  const signatures = readSignatureTar(bytes, maxMetadataBytes)
  const control = readControlTar(bytes, signatures.end)
  const signature = findSignature(signatures.content, maxMetadataBytes)
  return {
    signature,
    control: bytes.subarray(signatures.end, control.end),
    pkginfo: findPkginfo(control.content, maxMetadataBytes),
    data: bytes.subarray(control.end)
  }
}

interface Member {
  readonly content: Uint8Array
  readonly end: number
}

function readSignatureTar(bytes: Uint8Array, maxMetadataBytes: number): Member {
  const start = readGzipHeader(bytes, 0, 'create gzip reader')
  const maxBytes = maxMetadataBytes === 0 ? MAX_APK_TAR_BYTES : maxMetadataBytes
  const tooLarge = (): LogError =>
    // Rekor stops one byte behind the limit and says where it is then.
    new LogError(
      'invalid_request',
      `decompressed size (${maxBytes + 1}) for signature.tar.gz exceeds max allowed size ${maxBytes}`
    )
  return readGzipBody(bytes, start, { maxBytes, tooLarge }, 'reading signature.tar.gz')
}

/** Nothing behind the signature is like an archive without files. */
function readControlTar(bytes: Uint8Array, at: number): Member {
  if (at === bytes.length) return { content: new Uint8Array(0), end: at }
  const start = readGzipHeader(bytes, at, 'resetting to control.tar.gz')
  const maxBytes = MAX_APK_TAR_BYTES
  const tooLarge = (): LogError =>
    new LogError(
      'too_large',
      `decompressed size for control.tar.gz exceeds max allowed size ${maxBytes}`
    )
  return readGzipBody(bytes, start, { maxBytes, tooLarge }, 'reading control.tar.gz')
}

/** The first one that is there. */
function findSignature(tar: Uint8Array, maxMetadataBytes: number): Uint8Array {
  let signature: Uint8Array | undefined
  for (const { name, size, content } of readTar(tar, TAR)) {
    if (signature !== undefined || !name.startsWith('.SIGN')) continue
    assertSize('.SIGN', size, maxMetadataBytes)
    signature = content
  }
  if (signature === undefined) {
    throw new LogError('invalid_request', 'no signature detected in alpine package')
  }
  if (signature.length > MAX_PEM_BYTES) return signature
  return decodePem(signature)?.block.bytes ?? signature
}

/**
 * The only one. Rekor takes the last of several and apk the lines of all, so nobody could say what a leaf is about; and each may
 * be as large as the limit.
 */
function findPkginfo(tar: Uint8Array, maxMetadataBytes: number): ReadonlyMap<string, string> {
  let pkginfo: Uint8Array | undefined
  for (const { name, size, content } of readTar(tar, TAR)) {
    if (name !== '.PKGINFO') continue
    assertSize('.PKGINFO', size, maxMetadataBytes)
    if (pkginfo !== undefined) {
      throw new LogError('invalid_request', 'more than one .PKGINFO file in alpine package')
    }
    pkginfo = content
  }
  if (pkginfo === undefined) {
    throw new LogError('invalid_request', '.PKGINFO file was not located')
  }
  return parseIni(pkginfo, 'parsing .PKGINFO')
}

/** Before any of it is looked at: a size is only a claim. */
function assertSize(name: string, size: number, maxMetadataBytes: number): void {
  if (maxMetadataBytes === 0 || size <= maxMetadataBytes) return
  throw new LogError(
    'invalid_request',
    `uncompressed ${name} file size ${size} exceeds max allowed size ${maxMetadataBytes}`
  )
}
