const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/
const SEGMENT = /^[A-Za-z0-9._-]+$/

/** Whether `text` can be a trust domain. */
export function isTrustDomain(text: string): boolean {
  return TRUST_DOMAIN.test(text)
}

/**
 * Trust domain of a SPIFFE ID; undefined when `text` is none: `spiffe://`, a trust domain, and a path of segments that are
 * not empty, `.` or `..`, or no path at all.
 *
 * @see SPIFFE-ID section 2, fulcio §9
 */
export function trustDomainOf(text: string): string | undefined {
  if (!text.startsWith('spiffe://')) return undefined
  const [trustDomain = '', ...segments] = text.slice('spiffe://'.length).split('/')
  const isValid =
    isTrustDomain(trustDomain) &&
    segments.every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..')
  return isValid ? trustDomain : undefined
}
