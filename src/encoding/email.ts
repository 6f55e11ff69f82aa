// The e-mail syntax Rekor indexes by (govalidator's IsEmail): RFC 5322 without comments, non-ASCII letters allowed, and
// a top-level domain of letters. Written as a few linear steps: as one expression it can be made to backtrack for ever.

const UNICODE = '\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF'
const ATOM = `[a-zA-Z0-9!#$%&'*+\\-/=?^_\`{|}~${UNICODE}]+`
const LOCAL_PART = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`)
const QUOTED_LOCAL_PART = new RegExp(
  `^"(?:[ \\t]|[\\x01-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\\x21\\x23-\\x5b\\x5d-\\x7e${UNICODE}])*"$`
)
const DOMAIN = new RegExp(`^[a-zA-Z0-9\\-._~${UNICODE}]+$`)
const LETTER_OR_DIGIT = new RegExp(`^[a-zA-Z0-9${UNICODE}]$`)
const TOP_LEVEL = new RegExp(`^[a-zA-Z0-9\\-_~${UNICODE}]+$`)
const LETTER = new RegExp(`^[a-zA-Z${UNICODE}]$`)

/**
 * Whether `text` is a bare e-mail address, such as `user@host.example`. Of quoted local parts those with line breaks or
 * with a quote after a parenthesis are not recognised.
 */
export function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@')
  const localPart = text.slice(0, Math.max(at, 0))
  if (!LOCAL_PART.test(localPart) && !QUOTED_LOCAL_PART.test(localPart)) return false
  const domain = text.slice(at + 1).replace(/\.$/, '')
  const dot = domain.lastIndexOf('.')
  const head = domain.slice(0, Math.max(dot, 0))
  const topLevel = domain.slice(dot + 1)
  return (
    DOMAIN.test(head) &&
    isFramedBy(head, LETTER_OR_DIGIT) &&
    TOP_LEVEL.test(topLevel) &&
    isFramedBy(topLevel, LETTER)
  )
}

function isFramedBy(text: string, edge: RegExp): boolean {
  return edge.test(text.charAt(0)) && edge.test(text.charAt(text.length - 1))
}
