/**
 * What a Signer produces, by the names of the algorithm table: ECDSA signatures are ASN.1 DER, RSA ones PKCS#1 v1.5.
 * Ed25519 is left out on purpose: it cannot sign certificates that all clients accept, nor a CT log (ct-and-tsa §A3.1).
 */
export type SignatureAlgorithm =
  | 'ecdsa-sha2-256-nistp256'
  | 'ecdsa-sha2-384-nistp384'
  | 'ecdsa-sha2-512-nistp521'
  | 'rsa-sign-pkcs1-2048-sha256'
  | 'rsa-sign-pkcs1-3072-sha256'
  | 'rsa-sign-pkcs1-4096-sha256'

/** The one way anything is signed here, so that a key file and a KMS look alike. */
export interface Signer {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  readonly algorithm: SignatureAlgorithm
  /** Hashes and signs `message`. @throws LogError `internal` when the key cannot be used */
  sign(message: Uint8Array): Promise<Uint8Array>
  /** The same for many, where that is faster than one by one. Signatures in the order of the messages. */
  signAll?(messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]>
}

/** Signatures of all messages, in their order. @throws LogError as Signer.sign */
export function signEach(
  signer: Signer,
  messages: readonly Uint8Array[]
): Promise<readonly Uint8Array[]> {
  if (signer.signAll !== undefined && messages.length > 1) return signer.signAll(messages)
  return Promise.all(messages.map((message) => signer.sign(message)))
}
