// Letters beyond ASCII that may stand wherever an ASCII letter may.
const UNICODE = '\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF'
const ATOM = `[a-zA-Z0-9!#$%&'*+\\-/=?^_\`{|}~${UNICODE}]+`
const LOCAL_PART = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`)
const DOMAIN = new RegExp(`^[a-zA-Z0-9\\-._~${UNICODE}]+$`)
const LETTER_OR_DIGIT = new RegExp(`^[a-zA-Z0-9${UNICODE}]$`)
const TOP_LEVEL = new RegExp(`^[a-zA-Z0-9\\-_~${UNICODE}]+$`)
const LETTER = new RegExp(`^[a-zA-Z${UNICODE}]$`)

/**
 * Whether `text` is a bare e-mail address, such as `user@host.example`, as Rekor judges it when it indexes keys: atoms
 * joined by dots, `@`, a domain of letters, digits and `-._~`, and a top-level domain that begins and ends with a letter.
 * Quoted local parts are not taken; of these Rekor takes only such as no mail server would.
 *
 * In steps, each linear in the length of the text: as the one expression Rekor has, it could be made to run for ever here.
 */
export function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@')
  if (at < 0 || !LOCAL_PART.test(text.slice(0, at))) return false
  const domain = text.slice(at + 1).replace(/\.$/, '')
  const dot = domain.lastIndexOf('.')
  if (dot < 0) return false
  const head = domain.slice(0, dot)
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
