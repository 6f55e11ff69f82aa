import { readText } from './text.js'

const OPEN_PAREN = 0x28
const CLOSE_PAREN = 0x29
const OPEN_ANGLE = 0x3c
const CLOSE_ANGLE = 0x3e

/**
 * E-mail part of a user ID of the form `Name (Comment) <address>`, or the whole of it when it is only an address. Not
 * checked in any way; empty when there is none.
 *
 * @see RFC 9580 section 5.11
 */
export function emailOfUserId(userId: Uint8Array): string {
  const { nameEnd, emailStart, emailEnd } = findParts(userId)
  const email = trimmed(userId.subarray(emailStart, emailEnd))
  if (email !== '') return email
  const name = trimmed(userId.subarray(0, nameEnd))
  return name.includes('@') ? name : ''
}

interface Parts {
  readonly nameEnd: number
  readonly emailStart: number
  readonly emailEnd: number
}

// The delimiters are ASCII, so bytes can be walked whatever the encoding of the rest is. A comment starts at the first
// parenthesis before any angle bracket; brackets inside it are part of it. Its first byte, like that of the address, is
// looked at again: `()` and `<>` are empty.
function findParts(userId: Uint8Array): Parts {
  const none = { emailStart: 0, emailEnd: 0 }
  const nameEnd = userId.findIndex((byte) => byte === OPEN_PAREN || byte === OPEN_ANGLE)
  if (nameEnd < 0) return { ...none, nameEnd: userId.length }
  let emailStart = nameEnd + 1
  if (userId[nameEnd] === OPEN_PAREN) {
    const commentEnd = userId.indexOf(CLOSE_PAREN, nameEnd)
    if (commentEnd < 0) return { ...none, nameEnd }
    const open = userId.indexOf(OPEN_ANGLE, commentEnd)
    if (open < 0) return { ...none, nameEnd }
    emailStart = open + 1
  }
  const close = userId.indexOf(CLOSE_ANGLE, emailStart)
  return { nameEnd, emailStart, emailEnd: close < 0 ? userId.length : close }
}

function trimmed(bytes: Uint8Array): string {
  return readText(bytes).replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '')
}
