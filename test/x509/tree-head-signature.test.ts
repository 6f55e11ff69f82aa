import t from 'tap'
import { encodeTreeHeadSignatureInput } from '../../src/x509/tree-head-signature.js'
import { ctLogVector, fromBase64 } from '../helpers/ct-vectors.js'
import { refusalText } from '../helpers/refusals.js'

t.test('tree heads of a log', (t) => {
  const heads = Object.values(ctLogVector.get_sth)
  t.same(
    heads.map(({ tree_size }) => tree_size),
    [0, 3, 5]
  )
  for (const head of heads) {
    const input = encodeTreeHeadSignatureInput({
      timestampMs: head.timestamp,
      treeSize: head.tree_size,
      rootHash: fromBase64(head.sha256_root_hash)
    })
    t.equal(Buffer.from(input).toString('hex'), head._signed_input_hex, `size ${head.tree_size}`)
  }
  t.end()
})

const HEAD = { timestampMs: 1, treeSize: 2 ** 32 + 1, rootHash: new Uint8Array(32).fill(0xcc) }

t.test('beyond 32 bits', (t) => {
  t.equal(
    Buffer.from(encodeTreeHeadSignatureInput(HEAD)).toString('hex'),
    `000100000000000000010000000100000001${'cc'.repeat(32)}`
  )
  t.end()
})

t.test('refused', async (t) => {
  const cases: readonly (readonly [string, Partial<typeof HEAD>, string])[] = [
    [
      'time not a number',
      { timestampMs: Number.NaN },
      'timestamp: NaN is not an unsigned integer of 64 bits below 2^53'
    ],
    [
      'size below zero',
      { treeSize: -1 },
      'tree size: -1 is not an unsigned integer of 64 bits below 2^53'
    ],
    ['no root hash', { rootHash: new Uint8Array(0) }, 'root hash: 0 bytes, not 32']
  ]
  for (const [title, change, message] of cases) {
    const text = await refusalText(() => encodeTreeHeadSignatureInput({ ...HEAD, ...change }))
    t.equal(text, `invalid_request: tree head: ${message}`, title)
  }
})
