import { isLogError } from '../../errors.js'
import {
  type CheckReport,
  createCheckRunner,
  IDENTITY_CHECKS,
  type IdentityCheck,
  type RunCheck
} from './checks.js'
import { findIssuer, type MatchedIssuer } from './config/find-issuer.js'
import type { IdentityConfig } from './config/identity-config.js'
import { findIssuerType } from './issuer-types/index.js'
import type { IssuerType } from './issuer-types/issuer-type.js'
import { type CheckData, checkDataHere } from '../../keys/check-queue.js'
import { isSignedBy } from './jws-algorithms.js'
import { createKeySources, type KeySourceOptions } from './keys/key-sources.js'
import type { IssuerKey } from './keys/key-set.js'
import type { IssuerKeys, KeySource } from './keys/key-source.js'
import type { CertificateIdentity, Principal } from './principal.js'
import { refuseIdentity } from './refusal.js'
import {
  checkAudience,
  checkExpiry,
  checkNotBefore,
  checkSubject,
  readClaims,
  readHeader,
  readSignature,
  signedBytes,
  splitToken,
  type TokenHeader,
  type TokenParts
} from './token.js'

export interface IdentityVerifierOptions extends KeySourceOptions {
  readonly config: IdentityConfig
  /** What checks signatures of tokens; on this thread unless it says otherwise. */
  readonly checkData?: CheckData
}

export interface IdentityVerifier {
  /**
   * Who a token is about, once all it says was checked.
   *
   * @throws LogError `unauthenticated`: the message is for the log, `details.check` names the check that failed, and clients
   *   are shown `CLIENT_MESSAGES.identityToken`
   */
  verify(token: string): Promise<Principal>
  /** Every check with what it found, by the same code, and what a certificate would say. Issues nothing. */
  explain(token: string): Promise<IdentityExplanation>
  /** Tries to get the keys of every fixed issuer. Never rejects: `onProblem` is told, and tokens will try again. */
  warmUp(): Promise<void>
}

export interface IdentityExplanation {
  /** One for each of IDENTITY_CHECKS. */
  readonly checks: readonly CheckReport[]
  /** What the client would have to sign; only when all checks before the certificate passed. */
  readonly challenge: string | undefined
  readonly identity: CertificateIdentity | undefined
}

/** @see fulcio §7 */
export function createIdentityVerifier(options: IdentityVerifierOptions): IdentityVerifier {
  const { config, nowSeconds, onProblem, checkData = checkDataHere } = options
  const sourceOf = createKeySources(options)

  async function checkToken(token: string, run: RunCheck): Promise<Principal> {
    const parts = await run(
      'form',
      () => splitToken(token),
      () => `${token.length} characters`
    )
    const { issuer: issuerUrl, claims } = await run(
      'claims',
      () => readClaims(parts.payload),
      ({ issuer }) => `issuer ${issuer}`
    )
    const { matched, type } = await run(
      'issuer',
      () => requireIssuer(config, issuerUrl),
      describeMatch
    )
    const { issuer } = matched
    const source = sourceOf(matched)
    const keys = await run('keys', () => source.current(), describeKeys)
    await run(
      'audience',
      () => checkAudience(claims, issuer.clientId),
      () => issuer.clientId
    )
    const now = nowSeconds()
    await run(
      'expiry',
      () => checkExpiry(claims, now),
      (at) => `until ${formatSeconds(at)}`
    )
    await run(
      'not-before',
      () => checkNotBefore(claims, now),
      (at) => (at === undefined ? 'no limit' : `from ${formatSeconds(at)}`)
    )
    const header = await run(
      'algorithm',
      () => readHeader(parts.header, keys.algorithms),
      ({ algorithm }) => algorithm
    )
    await run(
      'signature',
      () => requireSignature(parts, header, { keys, source, checkData }),
      describeKey
    )
    const subject = await run(
      'subject',
      () => checkSubject(claims),
      (text) => text
    )
    return run(
      'identity',
      () => type.identify({ issuer: issuerUrl, subject, claims }, issuer, config.ciProviders),
      ({ challenge }) => `type ${type.name}; the client signs ${JSON.stringify(challenge)}`
    )
  }

  return {
    verify: (token) => checkToken(token, createCheckRunner()),

    async explain(token) {
      const reports = new Map<IdentityCheck, Pick<CheckReport, 'outcome' | 'detail'>>()
      const run = createCheckRunner((check, outcome, detail) => {
        reports.set(check, { outcome, detail })
      })
      let principal: Principal | undefined
      let identity: CertificateIdentity | undefined
      try {
        principal = await checkToken(token, run)
        identity = await run('certificate', principal.buildIdentity, describeIdentity)
      } catch (err) {
        if (!isLogError(err)) throw err // a refusal is in the reports
      }
      const checks = IDENTITY_CHECKS.map(({ name, title }) => ({
        check: name,
        title,
        ...(reports.get(name) ?? { outcome: 'not reached' as const, detail: '' })
      }))
      return { checks, challenge: principal?.challenge, identity }
    },

    async warmUp() {
      const fixed = config.issuers.filter(({ key, issuerUrl }) => key === issuerUrl)
      await Promise.all(
        fixed.map(async (issuer) => {
          try {
            await sourceOf({ issuer, pattern: undefined }).current()
          } catch (err) {
            onProblem(`issuer ${issuer.issuerUrl}: ${(err as Error).message}`)
          }
        })
      )
    }
  }
}

function requireIssuer(
  config: IdentityConfig,
  issuerUrl: string
): { readonly matched: MatchedIssuer; readonly type: IssuerType } {
  const matched = findIssuer(config, issuerUrl)
  if (matched === undefined) {
    throw refuseIdentity(
      `failed to match issuer URL ${issuerUrl} from token with any configured providers`
    )
  }
  const type = findIssuerType(matched.issuer.type)
  if (type === undefined) throw refuseIdentity(`unsupported issuer type: ${matched.issuer.type}`)
  return { matched, type }
}

/** The key that made the signature. When none did, the issuer may have new ones. @see fulcio §7 steps 6 to 8 */
async function requireSignature(
  parts: TokenParts,
  header: TokenHeader,
  {
    keys,
    source,
    checkData
  }: { readonly keys: IssuerKeys; readonly source: KeySource; readonly checkData: CheckData }
): Promise<IssuerKey> {
  const signature = readSignature(parts)
  const data = signedBytes(parts)
  const findKey = async (set: IssuerKeys): Promise<IssuerKey | undefined> => {
    for (const key of candidates(set, header)) {
      if (await isSignedBy(key.publicKey, header.algorithm, data, signature, checkData)) return key
    }
    return undefined
  }
  const found = await findKey(keys)
  if (found !== undefined) return found
  const newer = await source.newer(keys)
  const foundNow = newer === undefined ? undefined : await findKey(newer)
  if (foundNow !== undefined) return foundNow
  const tried = candidates(newer ?? keys, header).length
  const total = (newer ?? keys).keys.length
  if (tried > 0) throw refuseIdentity(`signature is of none of the ${tried} keys it may be of`)
  const id = header.keyId === undefined ? 'without an id' : JSON.stringify(header.keyId)
  throw refuseIdentity(`no key ${id} for ${header.algorithm} among ${total} keys of the issuer`)
}

/** Keys that a header may mean: those of its id, or all when it names none, unless they are for another algorithm. */
function candidates({ keys }: IssuerKeys, header: TokenHeader): readonly IssuerKey[] {
  return keys.filter(
    ({ keyId, algorithm }) =>
      (header.keyId === undefined || keyId === header.keyId) &&
      (algorithm === undefined || algorithm === header.algorithm)
  )
}

function describeMatch({ matched: { issuer, pattern } }: { readonly matched: MatchedIssuer }) {
  return pattern === undefined ? `type ${issuer.type}` : `type ${issuer.type}, by ${pattern}`
}

function describeKeys({ keys, origin, unusable }: IssuerKeys): string {
  const others = unusable.length === 0 ? '' : `; not usable: ${unusable.join('; ')}`
  return `${keys.length} from ${origin}${others}`
}

function describeKey({ keyId, publicKey }: IssuerKey): string {
  return keyId === undefined ? `${publicKey.type} key` : `${publicKey.type} key ${keyId}`
}

function describeIdentity({ subjectAlternativeName: { kind, value } }: CertificateIdentity) {
  return `for ${kind} ${value}`
}

/** Claims may hold any number; only some are dates. */
function formatSeconds(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString()
}
