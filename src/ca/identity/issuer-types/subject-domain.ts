// Labels under which countries register names: sharing `co.uk` says nothing about who owns either name.
const GENERIC_SECOND_LEVEL: readonly string[] = [
  'ac',
  'co',
  'com',
  'edu',
  'go',
  'gob',
  'gov',
  'mil',
  'ne',
  'net',
  'or',
  'org'
]

/**
 * Whether an issuer may speak for a domain: the hosts are the same or share their last two labels; three, where the second
 * is one that countries register names under.
 *
 * @returns what is wrong, in the words of fulcio §8.5, or undefined
 */
export function subjectDomainProblem(subjectHost: string, issuerHost: string): string | undefined {
  if (subjectHost === issuerHost) return undefined
  const subject = subjectHost.split('.')
  const issuer = issuerHost.split('.')
  if (subject.length < 2) return `URI hostname too short: ${subjectHost}`
  if (issuer.length < 2) return `URI hostname too short: ${issuerHost}`
  const [secondLevel = '', topLevel = ''] = subject.slice(-2)
  const isRegistry = topLevel.length === 2 && GENERIC_SECOND_LEVEL.includes(secondLevel)
  const shared = isRegistry ? 3 : 2
  const end = (labels: readonly string[]): string => labels.slice(-shared).join('.')
  return end(subject) === end(issuer)
    ? undefined
    : `hostname top-level and second-level domains do not match: ${subjectHost}, ${issuerHost}`
}
