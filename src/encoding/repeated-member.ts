/**
 * Name of the first member that stands twice in one object of a JSON text, wherever that is; `JSON.parse` keeps the last one
 * and says nothing. Names are compared as they are meant, not as they are escaped.
 *
 * @param text valid JSON
 */
export function findRepeatedMember(text: string): string | undefined {
  // For every object we are in the names seen so far, for every array undefined.
  const open: (Set<string> | undefined)[] = []
  for (let i = 0; i < text.length; i++) {
    switch (text.charAt(i)) {
      case '{':
        open.push(new Set())
        break
      case '[':
        open.push(undefined)
        break
      case '}':
      case ']':
        open.pop()
        break
      case '"': {
        const end = endOfString(text, i)
        const names = open.at(-1)
        if (names !== undefined && isName(text, end)) {
          const name = JSON.parse(text.slice(i, end)) as string // a JSON string
          if (names.has(name)) return name
          names.add(name)
        }
        i = end - 1
        break
      }
    }
  }
  return undefined
}

/** Offset behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i + 1
}

/** Whether a colon follows: strings that are values have none behind them. */
function isName(text: string, offset: number): boolean {
  const colon = /[ \t\r\n]*:/y
  colon.lastIndex = offset
  return colon.test(text)
}
