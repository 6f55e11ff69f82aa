/** Builds tar archives and packages of apk-tools 2 field by field, so that tests can make what no tool writes. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { gzipSync } from 'node:zlib'

export interface TarHeaderFields {
  readonly name: string
  /** What the size field says, in octal; or its bytes. */
  readonly size?: number | Uint8Array
  readonly type?: string
  /** 8 bytes: magic and version. Default ustar. */
  readonly magic?: string
  readonly prefix?: string
  /** Written over the header at an offset before the checksum is made. */
  readonly over?: readonly (readonly [at: number, bytes: Uint8Array | string])[]
  /** Added to the checksum. */
  readonly checksumError?: number
  readonly signedChecksum?: boolean
}

export const USTAR = 'ustar\x0000'
export const GNU = 'ustar  \0'
export const V7 = '\0'.repeat(8)

const latin1 = (value: Uint8Array | string): Uint8Array =>
  typeof value === 'string' ? Buffer.from(value, 'latin1') : value

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')

export function tarHeader(fields: TarHeaderFields): Uint8Array {
  const { name, size = 0, type = '0', magic = USTAR, prefix = '' } = fields
  const block = new Uint8Array(512)
  const put = (at: number, value: Uint8Array | string): void => block.set(latin1(value), at)
  put(0, name)
  put(100, '0000644\0')
  put(108, '0000000\0')
  put(116, '0000000\0')
  put(124, typeof size === 'number' ? octal(size, 11) : size)
  put(136, octal(1_600_000_000, 11))
  put(148, ' '.repeat(8))
  put(156, type)
  put(257, magic)
  put(345, prefix)
  for (const [at, value] of fields.over ?? []) put(at, value)
  const bytes = fields.signedChecksum === true ? new Int8Array(block.buffer) : block
  let sum = fields.checksumError ?? 0
  for (const byte of bytes) sum += byte
  put(148, `${octal(sum, 6)}\0 `)
  return block
}

/** Header and padded content; the header says how long it is unless it is told otherwise. */
export function tarFile(
  name: string,
  content: Uint8Array | string,
  fields: Partial<TarHeaderFields> = {}
): Uint8Array {
  const bytes = latin1(content)
  const padded = new Uint8Array(Math.ceil(bytes.length / 512) * 512)
  padded.set(bytes)
  return join(tarHeader({ name, size: bytes.length, ...fields }), padded)
}

/** One pax record with its own length in front. */
export function paxRecord(name: string, value: string): string {
  const rest = ` ${name}=${value}\n`
  let length = rest.length
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length
  }
  return `${length}${rest}`
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

export function gzip(content: Uint8Array | string): Uint8Array {
  return new Uint8Array(gzipSync(content))
}

export const DATA = gzip('the files')

export interface ApkParts {
  readonly key: KeyObject
  readonly data?: Uint8Array
  /** Default: a name and the datahash of the data. */
  readonly pkginfo?: string
  /** Instead of the tar of pkginfo. */
  readonly controlTar?: Uint8Array
  /** Made of the signature. */
  readonly signatureTar?: (signature: Uint8Array) => Uint8Array
  readonly dsaEncoding?: 'der' | 'ieee-p1363'
}

export function datahash(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** A package signed as abuild-sign does it. */
export function signedApk({ key, data = DATA, ...parts }: ApkParts): Uint8Array {
  const pkginfo = parts.pkginfo ?? `pkgname = test\ndatahash = ${datahash(data)}\n`
  const control = gzip(parts.controlTar ?? tarFile('.PKGINFO', pkginfo))
  const signature = sign('sha1', control, { key, dsaEncoding: parts.dsaEncoding ?? 'der' })
  const signatureTar = parts.signatureTar ?? ((bytes) => tarFile('.SIGN.RSA.test', bytes))
  return join(gzip(signatureTar(signature)), control, data)
}

export interface ApkKey {
  readonly key: KeyObject
  readonly pem: Uint8Array
}

export function rsaKey(modulusLength = 2048): ApkKey {
  return inPem(generateKeyPairSync('rsa', { modulusLength }))
}

export function ecKey(namedCurve: string): ApkKey {
  return inPem(generateKeyPairSync('ec', { namedCurve }))
}

export function ed25519Key(): ApkKey {
  return inPem(generateKeyPairSync('ed25519'))
}

function inPem(pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }): ApkKey {
  const pem = pair.publicKey.export({ format: 'pem', type: 'spki' })
  return { key: pair.privateKey, pem: Uint8Array.from(Buffer.from(pem)) }
}
