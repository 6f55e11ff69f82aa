import t from 'tap'
import { decodeUtf8, encodeUtf8 } from '../../src/encoding/text.js'
import type { TrustState } from '../../src/trust/contract.js'
import { stateOfDocuments } from '../../src/trust/published-state.js'
import { buildSigningConfig } from '../../src/trust/signing-config.js'
import { buildTrustedRoot } from '../../src/trust/trusted-root.js'
import { createTrustState } from '../helpers/trust-state.js'

const state = await createTrustState()
const root = buildTrustedRoot(state)
const config = buildSigningConfig(state)

t.test('documents say what they were made from', (t) => {
  t.strictSame(stateOfDocuments(root, config), state)
  const small: TrustState = {
    ...state,
    rekorLogs: state.rekorLogs.slice(1),
    ctLogs: [],
    certificateAuthorities: [],
    timestampAuthorities: [],
    services: { ...state.services, fulcio: [], tsa: [], oidc: [] }
  }
  t.strictSame(stateOfDocuments(buildTrustedRoot(small), buildSigningConfig(small)), small)
  t.end()
})

t.test('several addresses keep their order', (t) => {
  const [service] = state.services.rekor
  if (service === undefined) throw new Error('the state has a service')
  const rekor = [
    { ...service, validity: { startSeconds: 1_767_225_600, endSeconds: 1_767_225_700 } },
    { ...service, url: 'https://next.example.test', validity: { startSeconds: 1_767_225_650 } }
  ]
  const two = { ...state, services: { ...state.services, rekor } }
  t.strictSame(
    stateOfDocuments(buildTrustedRoot(two), buildSigningConfig(two)).services,
    two.services
  )
  t.end()
})

t.test('other documents are not of a server of ours', (t) => {
  const edited = (bytes: Uint8Array, search: string | RegExp, by: string): Uint8Array => {
    const text = decodeUtf8(bytes).replace(search, by)
    if (text === decodeUtf8(bytes)) throw new Error('nothing was replaced')
    return encodeUtf8(text)
  }
  const cases: [name: string, root: Uint8Array, config: Uint8Array][] = [
    ['not JSON', encodeUtf8('hello'), config],
    ['a signing config in place of the root', config, config],
    ['a root in place of the signing config', root, root],
    ['nothing', new Uint8Array(), config],
    ['a log without a key', edited(root, /"rawBytes": ?"[^"]*"/, '"x": "y"'), config],
    ['a log without an address', edited(root, /"baseUrl": ?"[^"]*"/, '"x": "y"'), config],
    ['a window without a start', edited(root, /"start": ?"[^"]*"/, '"x": "y"'), config],
    ['a service without an address', root, edited(config, /"url": ?"[^"]*"/, '"x": "y"')],
    ['a service without a start', root, edited(config, /"start": ?"[^"]*"/, '"x": "y"')]
  ]
  for (const [name, first, second] of cases) {
    t.throws(
      () => stateOfDocuments(first, second),
      {
        name: 'LogError',
        code: 'upstream',
        message: /^what the server publishes cannot be read: /
      },
      name
    )
  }
  t.end()
})
