import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { concatBytes } from '../../src/encoding/bytes.js'
import { array, bstr, int, map, tag, tstr } from './literal-cbor.js'

/** Somebody who signs COSE messages. */
export interface CoseSigner {
  readonly algorithm: number
  /** PEM of the public key. */
  readonly pem: Uint8Array
  sign(data: Uint8Array): Uint8Array
}

export const ES256 = -7
export const PS256 = -37

export function es256Signer(): CoseSigner {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    algorithm: ES256,
    pem: pemOf(pair.publicKey),
    sign: (data) => sign('sha256', data, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
  }
}

export function ps256Signer(modulusLength: number): CoseSigner {
  const pair = generateKeyPairSync('rsa', { modulusLength })
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return {
    algorithm: PS256,
    pem: pemOf(pair.publicKey),
    sign: (data) => sign('sha256', data, { key: pair.privateKey, ...options })
  }
}

export function pemOf(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ type: 'spki', format: 'pem' }))
}

export interface CoseParts {
  /** What the byte string of the protected header holds; by default the algorithm of the signer. */
  readonly protectedBytes?: Uint8Array
  /** That byte string itself, where it shall be another than is signed. */
  readonly protectedItem?: Uint8Array
  readonly unprotected?: Uint8Array
  readonly payload?: Uint8Array | string
  /** CBOR in place of the payload. */
  readonly payloadItem?: Uint8Array
  readonly aad?: Uint8Array | string
  readonly signature?: Uint8Array
}

/** COSE_Sign1_Tagged and the byte string that is signed, each written out by hand. */
export function coseMessage(signer: CoseSigner, parts: CoseParts = {}): Uint8Array {
  const { payload = 'a payload', aad = '', unprotected = map() } = parts
  const protectedBytes = parts.protectedBytes ?? map(int(1), int(signer.algorithm))
  const signed = array(tstr('Signature1'), bstr(protectedBytes), bstr(aad), bstr(payload))
  return tag(
    18,
    array(
      parts.protectedItem ?? bstr(protectedBytes),
      unprotected,
      parts.payloadItem ?? bstr(payload),
      bstr(parts.signature ?? signer.sign(signed))
    )
  )
}

/** Spec of a proposed cose entry. */
export function coseSpec(signer: CoseSigner, parts: CoseParts = {}, message?: Uint8Array) {
  const { aad } = parts
  return {
    message: base64(message ?? coseMessage(signer, parts)),
    publicKey: base64(signer.pem),
    data: aad === undefined ? {} : { aad: base64(concatBytes(Buffer.from(aad))) }
  }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
