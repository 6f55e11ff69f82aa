/**
 * One word of a POSIX shell that means exactly `text`: quoted where it would not be taken as it is. A word that could be an
 * option stays one.
 *
 * @see POSIX Shell Command Language section 2.2.2
 */
export function shellWord(text: string): string {
  return /^[\w./:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
