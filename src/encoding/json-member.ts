/**
 * Text of a member's value as it stands, for numbers that JSON.parse would round. Of repeated members the last one, as
 * JSON.parse takes it; names are compared as they are meant, not as they are escaped.
 *
 * @param text of a JSON object, valid
 * @returns undefined when the object has no such member
 */
export function rawJsonMember(text: string, name: string): string | undefined {
  let depth = 0
  let valueStart: number | undefined
  let raw: string | undefined
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '"') {
      const end = endOfString(text, i)
      const colon = skipSpace(text, end)
      if (depth === 1 && text[colon] === ':' && JSON.parse(text.slice(i, end)) === name) {
        valueStart = colon + 1
      }
      i = end - 1
      continue
    }
    if (depth === 1 && valueStart !== undefined && (character === ',' || character === '}')) {
      raw = text.slice(valueStart, i).trim()
      valueStart = undefined
    }
    if (character === '{' || character === '[') depth++
    if (character === '}' || character === ']') depth--
  }
  return raw
}

/** Offset behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i + 1
}

function skipSpace(text: string, offset: number): number {
  let i = offset
  while (/[ \t\r\n]/.test(text.charAt(i))) i++
  return i
}
