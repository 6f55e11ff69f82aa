import { readdirSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import { encodeBase64 } from '../../src/encoding/base64.js'
import { isJsonObject, parseJson } from '../../src/encoding/json.js'
import { decodeUtf8, encodeUtf8 } from '../../src/encoding/text.js'
import { findEntryType } from '../../src/entries/registry.js'
import { createPlainDeriver } from '../../src/rekor/plain-leaf.js'
import { hashSearchKey } from '../../src/store/search-key.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { computedVector } from '../helpers/vectors.js'

/** What the entry types say, which is what counts. Undefined where they refuse. */
async function slowly(leafValue: Uint8Array): Promise<readonly string[] | undefined> {
  try {
    const body = parseJson(leafValue)
    if (!isJsonObject(body)) return undefined
    return await findEntryType(String(body.kind), String(body.apiVersion)).storedSearchKeys(
      body.spec
    )
  } catch {
    return undefined
  }
}

const derive = createPlainDeriver()

/** @returns whether the fast way said anything; what it says must be what the slow way says */
async function isSame(t: Test, leafValue: Uint8Array): Promise<boolean> {
  const fast = derive(leafValue)
  if (fast === undefined) return false
  const text = Buffer.from(leafValue).toString('latin1')
  t.strictSame(fast.searchKeys, await slowly(leafValue), text)
  t.strictSame(fast.keyHashes, fast.searchKeys.map(hashSearchKey), text)
  t.equal(fast.attestationKey, undefined)
  return true
}

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const VALUE = 'a1'.repeat(32)

/** A leaf; its parts as text between the quotes. */
function leaf({
  algorithm = 'sha256',
  value = VALUE,
  content = 'AAAA',
  key = encodeBase64(encodeUtf8(PEM)),
  kind = 'hashedrekord',
  apiVersion = '0.0.1',
  more = ''
} = {}): Uint8Array {
  return encodeUtf8(
    `{"apiVersion":"${apiVersion}","kind":"${kind}","spec":{"data":{"hash":{"algorithm":"${algorithm}","value":"${value}"}},` +
      `"signature":{"content":"${content}","publicKey":{"content":"${key}"}}}${more}}`
  )
}

t.test('a plain leaf', async (t) => {
  t.ok(await isSame(t, leaf()))
  t.ok(await isSame(t, leaf()), 'with a key that is known')
  for (const content of ['', 'AAAAAA==', 'AAAAAAA=', 'AAB=', 'AB==']) {
    t.ok(await isSame(t, leaf({ content })), content)
  }
  for (const pem of [` ${PEM}`, `${PEM}\n\n`, PEM.replaceAll('\n', '\r\n'), PEM.trimEnd()]) {
    t.ok(await isSame(t, leaf({ key: encodeBase64(encodeUtf8(pem)) })), JSON.stringify(pem))
  }
})

t.test('what is not plain is left to the slow way', async (t) => {
  const odd: readonly (readonly [string, Uint8Array])[] = [
    ['upper case', leaf({ value: VALUE.toUpperCase() })],
    ['SHA-512', leaf({ algorithm: 'sha512', value: 'a1'.repeat(64) })],
    ['short digest', leaf({ value: VALUE.slice(2) })],
    ['long digest', leaf({ value: `${VALUE}00` })],
    ['escape', leaf({ value: `\\u0061${VALUE.slice(1)}` })],
    ['bad base64', leaf({ content: 'AAA' })],
    ['padding within', leaf({ content: 'AA==AAAA' })],
    ['line break in base64', leaf({ content: 'AAAA\\n' })],
    ['no key', leaf({ key: '' })],
    ['no PEM', leaf({ key: 'AAAA' })],
    ['a line break in the key', leaf({ key: `${encodeBase64(encodeUtf8(PEM))}\n` })],
    ['an escape in the key', leaf({ key: `${encodeBase64(encodeUtf8(PEM))}\\n` })],
    ['a quote in the key', leaf({ key: 'AAAA","x":"AAAA' })],
    ['a signature that runs into the key', encodeUtf8(decodeUtf8(leaf()).slice(0, 180))],
    ['bad base64 of the key', leaf({ key: 'AAA' })],
    ['a key cut short', leaf({ key: encodeBase64(encodeUtf8(PEM.slice(0, 100))) })],
    ['other kind', leaf({ kind: 'rekord' })],
    ['other version', leaf({ apiVersion: '0.0.2' })],
    ['other version, of as many characters', leaf({ apiVersion: '0a0.1' })],
    ['one member more', leaf({ more: ',"x":1' })],
    ['white space', encodeUtf8(` ${Buffer.from(leaf()).toString()}`)],
    ['line break at the end', encodeUtf8(`${Buffer.from(leaf()).toString()}\n`)],
    ['nothing', new Uint8Array(0)],
    ['a key that is long', leaf({ key: encodeBase64(encodeUtf8(PEM + '\n'.repeat(3000))) })]
  ]
  for (const [name, leafValue] of odd) t.notOk(await isSame(t, leafValue), name)
})

t.test('every vector and what mutations make of it', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  const names = readdirSync('test/vectors/rekor/computed')
    .filter((name) => name.endsWith('.json'))
    .map((name) => computedVector(name.slice(0, -'.json'.length)).canonicalBody)
  let plain = 0
  let mutated = 0
  for (const body of names) {
    const leafValue = encodeUtf8(body)
    if (await isSame(t, leafValue)) plain++
    for (let i = 0; i < 100; i++) if (await isSame(t, mutate(leafValue, random))) mutated++
  }
  for (let i = 0; i < 3000; i++) if (await isSame(t, mutate(leaf(), random))) mutated++
  t.ok(plain > 0, `${plain} of ${names.length} vectors are plain`)
  t.ok(mutated > 0, `${mutated} mutations are plain`)
})
