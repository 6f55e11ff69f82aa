import { randomFillSync } from 'node:crypto'
import t, { type Test } from 'tap'
import { decodeBase64, decodeBase64Loose, encodeBase64 } from '../../src/encoding/base64.js'
import { canonicalJson } from '../../src/encoding/canonical-json.js'
import { decodeHex, encodeHex } from '../../src/encoding/hex.js'
import { parseJson } from '../../src/encoding/json.js'
import { decodePem } from '../../src/encoding/pem.js'
import { encodeUtf8 } from '../../src/encoding/text.js'

// Requests of 32 MiB pass through these functions on the main loop. Each case takes about a second of one core or
// less; what the bound must catch is quadratic time, which would be hours. A file of its own, because measuring
// coverage makes such loops ten times slower.
const MIB = 1024 * 1024
const SIZE = 32 * MIB
const MAX_CPU_SECONDS = 30

/** Runs a case and holds it to the bound, in processor time, so that a busy machine does not matter. */
function bounded(name: string, run: (t: Test) => void): void {
  t.test(name, (t) => {
    const before = process.cpuUsage()
    run(t)
    const { user, system } = process.cpuUsage(before)
    const seconds = (user + system) / 1e6
    t.ok(seconds < MAX_CPU_SECONDS, `${seconds.toFixed(1)} s of processor time`)
    t.end()
  })
}

const BYTES = randomFillSync(new Uint8Array(SIZE))

bounded('hex', (t) => {
  const text = encodeHex(BYTES)
  t.equal(text.length, 2 * SIZE)
  t.equal(Buffer.compare(decodeHex(text), BYTES), 0)
  t.throws(() => decodeHex(`${text.slice(0, -1)}!`), { code: 'invalid_request' })
})

bounded('base64', (t) => {
  const text = encodeBase64(BYTES)
  t.equal(text.length, 4 * Math.ceil(SIZE / 3))
  t.equal(Buffer.compare(decodeBase64(text), BYTES), 0)
  t.throws(() => decodeBase64Loose(`${text.slice(0, -1)}!`), {
    message: `base64: illegal base64 data at input byte ${text.length - 1}`
  })
  t.throws(() => decodeBase64(`${text.slice(0, -1)}!`), { code: 'invalid_request' })
})

bounded('base64 with as many line breaks as digits, and little else', (t) => {
  t.equal(decodeBase64Loose('A\n'.repeat(SIZE / 2)).length, SIZE / 2 / 4 * 3) // prettier-ignore
  t.equal(decodeBase64Loose('\r\n'.repeat(SIZE / 2)).length, 0)
  t.throws(() => decodeBase64Loose(`AA=${'\n'.repeat(SIZE)}`), {
    message: `base64: illegal base64 data at input byte ${SIZE + 3}`
  })
  t.throws(() => decodeBase64Loose('='.repeat(SIZE)), { message: / byte 0$/ })
})

bounded('a JSON string of backslashes', (t) => {
  const value = parseJson(`"${'\\\\'.repeat(SIZE / 2)}"`)
  t.equal((value as string).length, SIZE / 2)
  t.equal(canonicalJson(value).length, SIZE + 2)
  t.throws(
    () => parseJson(`"${'\\'.repeat(SIZE - 1)}"`),
    { code: 'invalid_request' },
    'never closed'
  )
})

bounded('a JSON string of escaped quotes', (t) => {
  const value = parseJson(`"${'\\"'.repeat(SIZE / 2)}"`)
  t.equal((value as string).length, SIZE / 2)
  t.equal(canonicalJson(value).length, SIZE + 2)
})

bounded('JSON of empty arrays, and of empty strings', (t) => {
  const count = 1_900_000 // an array counts with the comma after it
  t.equal((parseJson(`[${'[],'.repeat(count)}[]]`) as unknown[]).length, count + 1)
  t.equal((parseJson(`[${'"",'.repeat(count)}""]`) as unknown[]).length, count + 1)
  t.throws(() => parseJson(`[${'[],'.repeat(8 * MIB)}[]]`), {
    code: 'invalid_request',
    message: 'JSON of more than 4000000 values'
  })
})

bounded('PEM with blanks at the end of a line', (t) => {
  const blanks = ' \t'.repeat(SIZE / 4)
  const pem = `-----BEGIN A-----${blanks}\nAAAA\n-----END A-----${blanks}\n`
  t.strictSame(decodePem(encodeUtf8(pem))?.block.type, 'A')
  t.equal(
    decodePem(encodeUtf8(`-----BEGIN A-----${blanks}x\n-----END A-----${blanks}x`)),
    undefined
  )
})

bounded('brackets without end', (t) => {
  for (const text of ['[', ']', '{"a":', '}{', '"[', '][']) {
    t.throws(
      () => parseJson(text.repeat(SIZE / 4 / text.length)),
      { code: 'invalid_request' },
      text
    )
  }
})
