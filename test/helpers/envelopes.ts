import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { encodeBase64 } from '../../src/encoding/base64.js'
import { encodeUtf8 } from '../../src/encoding/text.js'

/** A signer of DSSE envelopes with its key in PEM. */
export interface EnvelopeSigner {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly pem: Uint8Array
}

export function envelopeSigner(
  type: 'P-256' | 'secp224r1' | 'ed25519' | 'rsa' = 'P-256'
): EnvelopeSigner {
  const { publicKey, privateKey } =
    type === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : type === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: type })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return { privateKey, publicKey, pem: encodeUtf8(pem) }
}

export interface EnvelopeParts {
  readonly payloadType?: string
  readonly payload?: string
  readonly keyids?: readonly string[]
}

/** A DSSE envelope with one signature of each signer, by the words of its specification. */
export function envelope(
  signers: readonly EnvelopeSigner[],
  { payloadType = 'text/plain', payload = 'hello', keyids = [] }: EnvelopeParts = {}
): { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] } {
  const signed = Buffer.from(
    `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${Buffer.byteLength(payload)} ${payload}`
  )
  return {
    payloadType,
    payload: encodeBase64(encodeUtf8(payload)),
    signatures: signers.map(({ privateKey }, i) => ({
      keyid: keyids[i] ?? '',
      sig: encodeBase64(
        sign(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', signed, privateKey)
      )
    }))
  }
}
