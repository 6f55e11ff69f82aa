import { isLogError, LogError } from '../../errors.js'

/** The checks a token goes through, in order. The names may be shown to strangers, the titles are for `explain`. */
export const IDENTITY_CHECKS = [
  { name: 'form', title: 'has three parts and is not too long' },
  { name: 'claims', title: 'has claims that can be read' },
  { name: 'issuer', title: 'comes from an issuer that is configured' },
  { name: 'keys', title: 'comes from an issuer whose keys are known' },
  { name: 'audience', title: 'is meant for this server' },
  { name: 'expiry', title: 'is not expired' },
  { name: 'not-before', title: 'is valid already' },
  { name: 'algorithm', title: 'is signed in a way the issuer may' },
  { name: 'signature', title: 'is signed by a key of the issuer' },
  { name: 'subject', title: 'has a subject' },
  { name: 'identity', title: 'says what its issuer type asks for' },
  { name: 'certificate', title: 'gives a certificate' }
] as const

export type IdentityCheck = (typeof IDENTITY_CHECKS)[number]['name']

export interface CheckReport {
  readonly check: IdentityCheck
  readonly title: string
  readonly outcome: 'passed' | 'refused' | 'not reached'
  /** What was found, or why it was refused. */
  readonly detail: string
}

/** Runs one check. `describe` says what was found, when anybody wants to know. */
export type RunCheck = <Result>(
  check: IdentityCheck,
  work: () => Result | Promise<Result>,
  describe: (result: Result) => string
) => Promise<Result>

/**
 * A runner that tells `report` of every check. A refusal goes on as a LogError with the name of the check in its details:
 * code `unauthenticated`, but for the certificate, which is not about the token any more.
 */
export function createCheckRunner(
  report?: (check: IdentityCheck, outcome: 'passed' | 'refused', detail: string) => void
): RunCheck {
  return async (check, work, describe) => {
    try {
      const result = await work()
      report?.(check, 'passed', describe(result))
      return result
    } catch (err) {
      if (!isLogError(err)) throw err
      report?.(check, 'refused', err.message)
      // What failed on our side is no refusal of the token either.
      const isOurs = check === 'certificate' || err.code === 'internal'
      const code = isOurs ? err.code : 'unauthenticated'
      throw new LogError(code, err.message, { cause: err, details: { check } })
    }
  }
}
