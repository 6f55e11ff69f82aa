import { LogError } from '../../errors.js'
import { type Certificate, parseCertificate } from '../../x509/certificate.js'
import { verifyPkcs7Signer } from '../../x509/pkcs7-signer.js'
import type { Pkcs7 } from '../../x509/pkcs7.js'
import type { VerifiedEntry } from '../entry-type.js'
import { rfc3161LeafValue, rfc3161SearchKeys } from './canonical.js'
import type { Rfc3161 } from './parse.js'
import { readTimestampToken } from './response.js'

/**
 * Checks that the answer is signed by a certificate that came with it. That this certificate is one of an authority, and
 * was valid, is for who reads the entry to decide: no chain, no extended key usage, no time is looked at, as in Rekor.
 */
export async function verifyRfc3161(entry: Rfc3161): Promise<VerifiedEntry> {
  const token = readTimestampToken(entry.tsr)
  try {
    await verifyToken(token)
  } catch (err) {
    const { code, message } = err as LogError // verifyToken throws nothing else
    throw new LogError(code, `tsr verification error: ${message}`, { cause: err })
  }
  return { leafValue: rfc3161LeafValue(entry), searchKeys: rfc3161SearchKeys(entry) }
}

async function verifyToken({ content, contentType, signers, certificates }: Pkcs7): Promise<void> {
  if (content === undefined) throw failed('pkcs7: missing content')
  if (signers.length === 0) throw failed('pkcs7 contains no signatures')
  const readable = certificates.flatMap(readableCertificate)
  for (const signer of signers) {
    await verifyPkcs7Signer(signer, { bytes: content, type: contentType }, readable)
  }
}

/** More may come along than is needed. What cannot be read signs nothing. */
function readableCertificate(der: Uint8Array): readonly Certificate[] {
  try {
    return [parseCertificate(der)]
  } catch {
    return []
  }
}

function failed(message: string): LogError {
  return new LogError('verification_failed', message)
}
