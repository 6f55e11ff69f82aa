import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto'

/** What one timestamp in a certificate says. */
export interface ReadSct {
  readonly logId: Buffer
  readonly timestampMs: number
  /** MerkleTreeLeaf: what the timestamp signs, and what the log has in its tree. */
  readonly leaf: Buffer
}

const OID_SCT_LIST = Buffer.from('060a2b06010401d679020402', 'hex')

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
  const [tbs] = children(certificate.raw)
  if (tbs === undefined) throw new Error('no TBSCertificate')
  const fields = children(tbs)
  const wrapper = fields.at(-1)
  if (wrapper?.[0] !== 0xa3) throw new Error('no extensions')
  const [list] = children(wrapper)
  const extensions = children(list ?? Buffer.alloc(0))
  const sctExtensions = extensions.filter((extension) => extension.includes(OID_SCT_LIST))
  const [sctExtension] = sctExtensions
  if (sctExtension === undefined || sctExtensions.length !== 1) throw new Error('no SCT list')
  if (extensions.at(-1) !== sctExtension) throw new Error('the SCT list is not the last extension')

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
  if (sct.readUInt16BE(41) !== 0) throw new Error('SCT extensions')
  if (sct.readUInt16BE(43) !== 0x0403) throw new Error('not ECDSA over SHA-256')
  const signature = sct.subarray(47)
  if (sct.readUInt16BE(45) !== signature.length) throw new Error('bytes after the signature')

  const rest = extensions.filter((extension) => extension !== sctExtension)
  const withoutScts = der(0x30, ...fields.slice(0, -1), der(0xa3, der(0x30, ...rest)))
  const issuerKey = issuer.publicKey.export({ type: 'spki', format: 'der' })
  const leaf = Buffer.concat([
    Buffer.from([0, 0]),
    timestamp,
    Buffer.from([0, 1]),
    createHash('sha256').update(issuerKey).digest(),
    uint24(withoutScts.length),
    withoutScts,
    Buffer.from([0, 0])
  ])
  const key = createPublicKey(logKey)
  const keyDer = key.export({ type: 'spki', format: 'der' })
  if (!createHash('sha256').update(keyDer).digest().equals(logId)) throw new Error('another log')
  if (!verify('sha256', leaf, key, signature)) throw new Error('the signature is wrong')
  return { logId, timestampMs: Number(timestamp.readBigUInt64BE()), leaf }
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
