import { isEmail } from '../../encoding/email.js'

/** Longest address that mail can be sent to. @see RFC 5321 section 4.5.3.1.3 */
const MAX_ADDRESS_LENGTH = 254

/**
 * Whether `text` is an e-mail address as Fulcio takes one: what `isEmail` takes, with no empty or hyphen-edged label in the
 * domain, and nothing that a mail reader would decode as RFC 2047 into another address.
 *
 * @see fulcio §9
 */
export function isEmailAddress(text: string): boolean {
  if (text.length > MAX_ADDRESS_LENGTH || !isEmail(text)) return false
  if (text.includes('=?') && text.includes('?=')) return false
  const domain = text.slice(text.lastIndexOf('@') + 1).replace(/\.$/, '')
  return domain.split('.').every((label) => label !== '' && !/^-|-$/.test(label))
}
