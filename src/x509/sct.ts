/** A timestamp of a certificate log: its promise to have the certificate in its tree (RFC 6962 section 3.2). */
export interface SignedCertificateTimestamp {
  /** 32 bytes. */
  readonly logId: Uint8Array
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** Raw bytes; empty for logs like ours. */
  readonly extensions: Uint8Array
  readonly signature: DigitallySigned
}

/** RFC 5246 section 4.7 for the two algorithms RFC 6962 allows, both over SHA-256. */
export interface DigitallySigned {
  readonly algorithm: 'ecdsa' | 'rsa'
  /** ECDSA: ASN.1 DER. RSA: PKCS#1 v1.5. */
  readonly signature: Uint8Array
}
