import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { JsonValue } from '../../src/encoding/canonical-json.js'
import { olpcJson } from '../../src/encoding/olpc-json.js'

// TUF metadata built member by member, so that tests can make what no well-behaved repository publishes.

export type TestTufKeyKind = 'ed25519' | 'ecdsa' | 'hex' | 'p384' | 'rsa'

export interface TestTufKey {
  /** Key object as roots have it. */
  readonly object: { readonly [member: string]: JsonValue }
  /** As the specification computes it. */
  readonly id: string
  readonly kind: TestTufKeyKind
  readonly secret: KeyObject
}

const TYPES: Readonly<Record<TestTufKeyKind, string>> = {
  ed25519: 'ed25519',
  ecdsa: 'ecdsa',
  hex: 'ecdsa-sha2-nistp256',
  p384: 'ecdsa',
  rsa: 'rsa'
}

export function newTufKey(kind: TestTufKeyKind): TestTufKey {
  const { publicKey, privateKey: secret } = generate(kind)
  const object = {
    keytype: TYPES[kind],
    scheme: 'test',
    keyval: { public: publicText(kind, publicKey) }
  }
  return { object, id: sha256Hex(olpcJson(object)), kind, secret }
}

function generate(kind: TestTufKeyKind) {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519')
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 1024 })
  return generateKeyPairSync('ec', { namedCurve: kind === 'p384' ? 'P-384' : 'P-256' })
}

function publicText(kind: TestTufKeyKind, key: KeyObject): string {
  if (kind === 'ed25519') {
    return key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')
  }
  if (kind === 'hex')
    return key.export({ format: 'der', type: 'spki' }).subarray(-65).toString('hex')
  return key.export({ format: 'pem', type: 'spki' }) as string // PEM is text
}

export function signTuf({ kind, secret }: TestTufKey, message: Uint8Array): string {
  if (kind === 'ed25519') return sign(null, message, secret).toString('hex')
  if (kind !== 'rsa') return sign('sha256', message, secret).toString('hex')
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return sign('sha256', message, { key: secret, padding }).toString('hex')
}

export interface TestMetadata {
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
  readonly signed: { readonly [member: string]: JsonValue }
}

/** Metadata with a signature of each key under its own id. */
export function signedBy(
  keys: readonly TestTufKey[],
  signed: TestMetadata['signed']
): TestMetadata {
  const message = Buffer.from(olpcJson(signed))
  return { signatures: keys.map((key) => ({ keyid: key.id, sig: signTuf(key, message) })), signed }
}

export const TUF_EXPIRES = '2030-01-01T00:00:00Z'
/** A second before. */
export const TUF_NOW_MS = Date.parse(TUF_EXPIRES) - 1000

/** Members of a root in which one key does everything. @param changes replace members */
export function rootMembers(
  key: TestTufKey,
  changes: { readonly [member: string]: JsonValue } = {}
): TestMetadata['signed'] {
  const role = { keyids: [key.id], threshold: 1 }
  return {
    _type: 'root',
    spec_version: '1.0.31',
    version: 1,
    expires: TUF_EXPIRES,
    consistent_snapshot: true,
    keys: { [key.id]: key.object },
    roles: { root: role, targets: role, snapshot: role, timestamp: role },
    ...changes
  }
}

export function timestampMembers(
  changes: { readonly [member: string]: JsonValue } = {}
): TestMetadata['signed'] {
  return {
    _type: 'timestamp',
    spec_version: '1.0.31',
    version: 7,
    expires: TUF_EXPIRES,
    meta: { 'snapshot.json': { version: 1 } },
    ...changes
  }
}

export function sha256Hex(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}
