import { parseDer } from '../../encoding/der.js'
import { isLogError, LogError } from '../../errors.js'
import type { PublicKey } from '../../keys/public-key.js'
import { type SignedDigest, verifyDigest } from '../../keys/verify.js'
import { parseCertificate } from '../../x509/certificate.js'
import { readRecentKey } from '../../x509/recent-key.js'
import { type Claim, claimOfDsse, claimOfHashedrekord } from './claim.js'
import { encodeEntryBody, type LoggedVerifier, MAX_BODY_BYTES } from './entry-body.js'
import { HASH_ALGORITHMS } from './key-details.js'
import type { CreateEntryRequest } from './messages.js'
import { DEFAULT_SIGNING_ALGORITHMS, signingAlgorithmOf } from './signing-algorithms.js'

/** What a request turns into: a `hashedrekord` 0.0.2, whatever was asked for. */
export interface VerifiedRequest {
  /** Canonical body: exactly what is hashed into the tree. At most MAX_BODY_BYTES. */
  readonly leafValue: Uint8Array
  /** Name of the algorithm, such as `ed25519-ph`. */
  readonly clientAlgorithm: string
}

export interface VerifyRequestOptions {
  /** Names (see assertSigningAlgorithms). All that can be, unless it says otherwise. */
  readonly signingAlgorithms?: readonly string[] | undefined
  /** Refuses requests for the withdrawn kind `dsse`, as Rekor does, instead of logging them as what newer clients send. */
  readonly strictTypes?: boolean | undefined
  /** Checks a signature over a digest, where that is done with others at once. Without it: at once, on this thread. */
  readonly checkDigest?: ((signed: SignedDigest) => Promise<void>) | undefined
}

/**
 * Checks a request and builds the leaf. Certificates are only asked for their key: the log is a notary of digest, signature and
 * key.
 *
 * @throws LogError `invalid_request` | `unsupported` | `verification_failed` (gRPC code 3, status 400 all of them). Its message is
 *   the one that Rekor lets the client see, and says little; what was wrong says the LogError that is its `cause`, except
 *   where the request asks for nothing
 * @see rekor-v2-and-tiles §1.4
 */
export async function verifyCreateRequest(
  { hashedRekordRequestV002: hashedrekord, dsseRequestV002: dsse }: CreateEntryRequest,
  options: VerifyRequestOptions = {}
): Promise<VerifiedRequest> {
  if (hashedrekord !== undefined) {
    return refusing('invalid hashedrekord request', () =>
      verifyClaim(() => claimOfHashedrekord(hashedrekord), options)
    )
  }
  if (dsse === undefined || options.strictTypes === true) {
    throw new LogError('invalid_request', 'invalid type, must be hashedrekord')
  }
  return refusing('invalid dsse request', () => verifyClaim(() => claimOfDsse(dsse), options))
}

async function verifyClaim(
  readClaim: () => Claim,
  {
    signingAlgorithms = DEFAULT_SIGNING_ALGORITHMS,
    checkDigest = checkDigestHere
  }: VerifyRequestOptions
): Promise<VerifiedRequest> {
  const claim = readClaim()
  const { content, verifier } = claim
  const key = within('parsing verifier', () => readKey(verifier))
  const { hash, name } = signingAlgorithmOf(verifier.keyDetails, key, signingAlgorithms)
  const digest = claim.digest(hash)
  if (digest.length !== hash.bytes) {
    throw new LogError(
      'invalid_request',
      `digest length (${digest.length}) does not match expected size (${hash.bytes}) for algorithm ${hash.title}`
    )
  }
  try {
    await checkDigest({ key, hashName: hash.hashName, digest, signature: content })
  } catch (err) {
    throw prefixed('verifying signature', err)
  }
  const leafValue = encodeEntryBody({
    kind: 'hashedrekord',
    data: { algorithm: HASH_ALGORITHMS[hash.algorithm], digest },
    signature: { content, verifier }
  })
  return { leafValue, clientAlgorithm: name }
}

function readKey({ type, rawBytes }: LoggedVerifier): PublicKey {
  if (type === 'publicKey') {
    // A copy: keys are kept for long, and what was sent is part of something larger.
    return within('parsing public key', () =>
      readRecentKey(parseDer(rawBytes.slice(), 'x509: public key'))
    )
  }
  return within('parsing certificate', () => parseCertificate(rawBytes).publicKey)
}

/** Largest certificates do not fit; Rekor finds that out later. */
function assertFitsBundle({ length }: Uint8Array): void {
  if (length <= MAX_BODY_BYTES) return
  const problem = `canonical body of ${length} bytes, more than the ${MAX_BODY_BYTES} that fit an entry bundle`
  throw refusal('invalid entry', new LogError('invalid_request', problem))
}

function checkDigestHere({ key, hashName, digest, signature }: SignedDigest): Promise<void> {
  return verifyDigest(key, hashName, digest, signature)
}

/** Refusals that say why become the cause of one that says `message`. */
async function refusing(
  message: string,
  verify: () => Promise<VerifiedRequest>
): Promise<VerifiedRequest> {
  let verified: VerifiedRequest
  try {
    verified = await verify()
  } catch (err) {
    const isRefusal = isLogError(err, 'invalid_request', 'unsupported', 'verification_failed')
    throw isRefusal ? refusal(message, err) : err
  }
  assertFitsBundle(verified.leafValue)
  return verified
}

function refusal(message: string, cause: LogError): LogError {
  return new LogError(cause.code, message, { cause })
}

function within<Result>(what: string, action: () => Result): Result {
  try {
    return action()
  } catch (err) {
    throw prefixed(what, err)
  }
}

function prefixed(what: string, err: unknown): unknown {
  return isLogError(err) ? new LogError(err.code, `${what}: ${err.message}`, { cause: err }) : err
}
