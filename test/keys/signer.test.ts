import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { signEach, type Signer } from '../../src/keys/signer.js'

const messages = ['one', 'two', 'three'].map(encodeUtf8)

/** Signs with what it was given, backwards. */
function signer(asked: string[], withBatches: boolean): Signer {
  const signed = (message: Uint8Array) => message.toReversed()
  return {
    publicKey: new Uint8Array(0),
    algorithm: 'ecdsa-sha2-256-nistp256',
    async sign(message) {
      asked.push('one')
      return signed(message)
    },
    ...(withBatches
      ? {
          async signAll(all: readonly Uint8Array[]) {
            asked.push(`${all.length} at once`)
            return all.map(signed)
          }
        }
      : {})
  }
}

t.test('one by one, or at once where the signer can', async (t) => {
  const want = messages.map((message) => message.toReversed())
  for (const [withBatches, how] of [
    [false, ['one', 'one', 'one']],
    [true, ['3 at once']]
  ] as const) {
    const asked: string[] = []
    t.same(await signEach(signer(asked, withBatches), messages), want)
    t.same(asked, how)
    asked.length = 0
    t.same(await signEach(signer(asked, withBatches), messages.slice(0, 1)), want.slice(0, 1))
    t.same(asked, ['one'], 'a single one is no batch')
    asked.length = 0
    t.same(await signEach(signer(asked, withBatches), []), [])
    t.same(asked, [])
  }
})
