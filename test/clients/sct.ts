import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto'

/** What one timestamp in a certificate says. */
export interface ReadSct {
  readonly timestampMs: number
  readonly extensions: Buffer
  /** MerkleTreeLeaf: what the timestamp signs, and what the log has in its tree. */
  readonly leaf: Buffer
}

const OID_SCT_LIST = Buffer.from('060a2b06010401d679020402', 'hex')

/** Extension of precertificates alone: critical, and a NULL. RFC 6962 section 3.1. */
const POISON = Buffer.from('3013060a2b06010401d6790204030101ff04020500', 'hex')

/**
 * Reads and verifies the one embedded SCT of a certificate by the text of RFC 6962 sections 3.2 and 3.3: over node:crypto, by
 * hand, and with nothing of the code under test.
 *
 * @param logKey PEM
 * @throws Error when there is not exactly one, or it is not good
 */
export function verifyEmbeddedSct(
  certificate: X509Certificate,
  issuer: X509Certificate,
  logKey: string
): ReadSct {
  const { fields, extensions, sctExtension } = partsOf(certificate)
  const octets = content(children(sctExtension).at(-1) ?? Buffer.alloc(0))
  const scts = content(octets)
  const length = scts.readUInt16BE(2)
  if (scts.readUInt16BE(0) !== scts.length - 2 || length !== scts.length - 4) {
    throw new Error('not exactly one SCT')
  }
  const sct = scts.subarray(4)
  if (sct[0] !== 0) throw new Error('not version 1')
  const logId = sct.subarray(1, 33)
  const timestamp = sct.subarray(33, 41)
  const sctExtensions = sct.subarray(41, 43 + sct.readUInt16BE(41))
  const signed = sct.subarray(41 + sctExtensions.length)
  if (signed.readUInt16BE(0) !== 0x0403) throw new Error('not ECDSA over SHA-256')
  const signature = signed.subarray(4)
  if (signed.readUInt16BE(2) !== signature.length) throw new Error('bytes after the signature')

  const withoutScts = der(0x30, ...fields, der(0xa3, der(0x30, ...extensions)))
  const issuerKey = issuer.publicKey.export({ type: 'spki', format: 'der' })
  const leaf = Buffer.concat([
    Buffer.from([0, 0]),
    timestamp,
    Buffer.from([0, 1]),
    createHash('sha256').update(issuerKey).digest(),
    uint24(withoutScts.length),
    withoutScts,
    sctExtensions
  ])
  const key = createPublicKey(logKey)
  const keyDer = key.export({ type: 'spki', format: 'der' })
  if (!createHash('sha256').update(keyDer).digest().equals(logId)) throw new Error('another log')
  if (!verify('sha256', leaf, key, signature)) throw new Error('the signature is wrong')
  return {
    timestampMs: Number(timestamp.readBigUInt64BE()),
    extensions: sctExtensions.subarray(2),
    leaf
  }
}

/**
 * TBSCertificate that the precertificate of a certificate must have had: the same, byte for byte, with the poison in the place
 * of the timestamps.
 */
export function precertificateTbs(certificate: X509Certificate): Buffer {
  const { fields, extensions } = partsOf(certificate)
  return der(0x30, ...fields, der(0xa3, der(0x30, ...extensions, POISON)))
}

/** TBSCertificate of a certificate, DER. */
export function tbsOf(certificate: X509Certificate): Buffer {
  const [tbs] = children(certificate.raw)
  if (tbs === undefined) throw new Error('no TBSCertificate')
  return tbs
}

/** What is before the extensions, the extensions before the last, and the last, which must be the list of timestamps. */
function partsOf(certificate: X509Certificate) {
  const fields = children(tbsOf(certificate))
  const wrapper = fields.pop()
  if (wrapper?.[0] !== 0xa3) throw new Error('no extensions')
  const [list] = children(wrapper)
  const extensions = children(list ?? Buffer.alloc(0))
  const lists = extensions.filter((extension) => extension.includes(OID_SCT_LIST))
  if (lists.length !== 1) throw new Error('no SCT list')
  const sctExtension = extensions.pop()
  if (sctExtension === undefined || sctExtension !== lists[0]) {
    throw new Error('the SCT list is not the last extension')
  }
  return { fields, extensions, sctExtension }
}

/** Verifies a tree head by RFC 6962 section 3.5. @param sth the answer of get-sth @throws Error when it is not good */
export function verifyTreeHead(
  sth: {
    readonly tree_size: number
    readonly timestamp: number
    readonly sha256_root_hash: string
    readonly tree_head_signature: string
  },
  logKey: string
): void {
  const numbers = Buffer.alloc(16)
  numbers.writeBigUInt64BE(BigInt(sth.timestamp), 0)
  numbers.writeBigUInt64BE(BigInt(sth.tree_size), 8)
  const root = Buffer.from(sth.sha256_root_hash, 'base64')
  const signed = Buffer.concat([Buffer.from([0, 1]), numbers, root])
  const signature = Buffer.from(sth.tree_head_signature, 'base64')
  if (signature.readUInt16BE(0) !== 0x0403) throw new Error('not ECDSA over SHA-256')
  if (!verify('sha256', signed, createPublicKey(logKey), signature.subarray(4))) {
    throw new Error('the signature of the tree head is wrong')
  }
}

/** Certificates of extra_data of a precertificate's entry: itself, then its issuers. RFC 6962 section 3.3. */
export function precertificateChain(extraData: Buffer): readonly X509Certificate[] {
  const opaque = (bytes: Buffer, at: number) => {
    const end = at + 3 + bytes.readUIntBE(at, 3)
    if (end > bytes.length) throw new Error('extra_data ends early')
    return { value: bytes.subarray(at + 3, end), end }
  }
  const first = opaque(extraData, 0)
  const chain = opaque(extraData, first.end)
  if (chain.end !== extraData.length) throw new Error('bytes after extra_data')
  const found = [first.value]
  for (let at = 0; at < chain.value.length;) {
    const { value, end } = opaque(chain.value, at)
    found.push(value)
    at = end
  }
  return found.map((certificate) => new X509Certificate(certificate))
}

/** Root that an inclusion proof leads to, by RFC 6962 section 2.1.1 read backwards. */
export function rootOf(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer {
  let hash = sha256(Buffer.from([0]), leaf)
  let node = index
  let last = size - 1
  for (const sibling of path) {
    while (node % 2 === 0 && node === last) {
      node = Math.floor(node / 2)
      last = Math.floor(last / 2)
    }
    hash =
      node % 2 === 1
        ? sha256(Buffer.from([1]), sibling, hash)
        : sha256(Buffer.from([1]), hash, sibling)
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return hash
}

export function leafHash(leaf: Buffer): Buffer {
  return sha256(Buffer.from([0]), leaf)
}

function sha256(...parts: readonly Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}

function uint24(value: number): Buffer {
  return Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff])
}

/** Where the content of an element begins and ends. */
function extent(element: Buffer, at = 0): { readonly start: number; readonly end: number } {
  const first = element[at + 1] ?? 0
  const bytes = first < 0x80 ? 0 : first & 0x7f
  const length = bytes === 0 ? first : element.readUIntBE(at + 2, bytes)
  const start = at + 2 + bytes
  return { start, end: start + length }
}

function content(element: Buffer): Buffer {
  const { start, end } = extent(element)
  return element.subarray(start, end)
}

/** Elements inside an element, each whole. */
function children(element: Buffer): Buffer[] {
  const inner = content(element)
  const found: Buffer[] = []
  for (let at = 0; at < inner.length;) {
    const { end } = extent(inner, at)
    found.push(inner.subarray(at, end))
    at = end
  }
  return found
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const inner = Buffer.concat(parts)
  const { length } = inner
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(header), inner])
}
