// Tables in Markdown whose columns line up, to be read on a terminal and pasted into a document.

/** @param rows of texts; the first row is the head */
export function markdownTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => row[column].length)))
  const line = (row) =>
    `| ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  const [head, ...body] = rows
  return [line(head), rule, ...body.map(line)].join('\n')
}

export function perSecond(value) {
  if (!Number.isFinite(value)) return '–'
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
}

/** Milliseconds, and seconds where they are many. */
export function time(ms) {
  if (!Number.isFinite(ms)) return '–'
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`
}

export function ratio(value) {
  return Number.isFinite(value) ? `${value.toFixed(2)} ×` : '–'
}

export function fixed(value, digits) {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}

export function count(value) {
  return Math.round(value).toLocaleString('en')
}

export function megabytes(bytes) {
  return Number.isFinite(bytes) ? `${count(bytes / 1e6)} MB` : '–'
}

/** Wanted and got. @param wishes [[text, got, atLeast | { atMost }], …] */
export function verdicts(wishes) {
  return wishes.map(([text, got, wanted]) => {
    const isMet = typeof wanted === 'number' ? got >= wanted : got <= wanted.atMost
    return { text, got, wanted, isMet: Number.isFinite(got) ? isMet : undefined }
  })
}

export function verdictLines(list) {
  const words = { true: 'met    ', false: 'not met', undefined: 'unknown' }
  return list.map(({ text, got, isMet }) => {
    const shown = Number.isFinite(got) ? Number(got.toPrecision(4)).toLocaleString('en') : '–'
    return `- ${words[isMet]} ${text}: ${shown}`
  })
}
