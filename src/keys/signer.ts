/** The one way anything is signed here, so that a key file and a KMS look alike. */
export interface Signer {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** What `sign` produces: ECDSA P-256 over SHA-256, ASN.1 DER. */
  readonly algorithm: 'ecdsa-sha2-256-nistp256'
  /** Hashes and signs `message`. @throws LogError `internal` when the key cannot be used */
  sign(message: Uint8Array): Promise<Uint8Array>
}
