import t from 'tap'
import type { JsonValue } from '../../../src/encoding/canonical-json.js'
import { parseTuf } from '../../../src/entries/tuf/parse.js'
import { refusalText } from '../../helpers/refusals.js'

t.test('a proposal', async (t) => {
  for (const content of [{ signed: {} }, 'e30=', '', 0, false, []] as JsonValue[]) {
    const spec = { metadata: { content }, root: { content: 'x' }, spec_version: 1 }
    t.same(parseTuf(spec), { metadata: content, root: 'x' }, 'contents are not looked at yet')
  }
})

t.test('what is refused, with the words of Rekor', async (t) => {
  const list = 'validation failure list:\n'
  const both = `${list}metadata in body is required\nroot in body is required`
  const contents = `${list}metadata.metadata.content in body is required\nroot.root.content in body is required`
  const file = { content: {} }
  const cases: readonly (readonly [spec: unknown, message: string])[] = [
    [null, 'unsupported input type <nil> for DecodeEntry'],
    [[], 'unsupported input type []interface {} for DecodeEntry'],
    ['', 'unsupported input type string for DecodeEntry'],
    [{}, both],
    [{ metadata: null, root: null }, both],
    [{ metadata: [], root: 'x' }, both],
    [{ metadata: {}, root: {} }, contents],
    [{ metadata: { content: null }, root: { content: null } }, contents],
    [{ metadata: file }, `${list}root in body is required`],
    [{ root: file, metadata: {} }, `${list}metadata.metadata.content in body is required`]
  ]
  for (const [spec, message] of cases) {
    t.equal(await refusalText(() => parseTuf(spec)), `invalid_request: ${message}`)
  }
})
