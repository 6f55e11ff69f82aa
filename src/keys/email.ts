// Characters of an atom: RFC 5322 section 3.2.3 and everything beyond ASCII (RFC 6532).
const LOCAL_PART =
  /^[a-z0-9!#$%&'*+\-/=?^_`{|}~\u00a0-\uffef]+(?:\.[a-z0-9!#$%&'*+\-/=?^_`{|}~\u00a0-\uffef]+)*$/i
const LABEL = /^[a-z0-9\u00a0-\uffef](?:[a-z0-9\-_~\u00a0-\uffef]*[a-z0-9\u00a0-\uffef])?$/i
const TOP_LABEL = /^[a-z\u00a0-\uffef](?:[a-z0-9\-_~\u00a0-\uffef]*[a-z\u00a0-\uffef])?$/i

/** Longest address looked at: the longest search key. Keeps the expressions below harmless. */
const MAX_EMAIL_LENGTH = 512

/**
 * Whether text is an e-mail address as Rekor's check takes one: atoms joined by dots, `@`, at least two labels, the last
 * one beginning and ending with a letter. Quoted local parts, which that check would take, are not taken.
 */
export function isEmail(text: string): boolean {
  if (text.length > MAX_EMAIL_LENGTH) return false
  const at = text.lastIndexOf('@')
  const labels = text
    .slice(at + 1)
    .replace(/\.$/, '')
    .split('.')
  const top = labels.pop() ?? ''
  return (
    at > 0 &&
    LOCAL_PART.test(text.slice(0, at)) &&
    labels.length > 0 &&
    labels.every((label) => LABEL.test(label)) &&
    TOP_LABEL.test(top)
  )
}
