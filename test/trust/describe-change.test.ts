import { createHash } from 'node:crypto'
import t from 'tap'
import type { TrustState } from '../../src/trust/contract.js'
import { describeTrustChange } from '../../src/trust/describe-change.js'
import { createTrustState, FIRST_SECONDS, HOST, SECOND_SECONDS } from '../helpers/trust-state.js'

const state = await createTrustState()
const URL = `https://${HOST}`

function sha256(bytes: Uint8Array = new Uint8Array()): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Only the first generation, still in use. */
const first: TrustState = {
  ...state,
  rekorLogs: state.rekorLogs
    .slice(0, 1)
    .map((log) => ({ ...log, validity: { startSeconds: FIRST_SECONDS } }))
}

t.test('nothing differs from itself', (t) => {
  t.strictSame(describeTrustChange(state, state), [])
  t.strictSame(describeTrustChange(state, structuredClone(state)), [])
  t.end()
})

t.test('another log takes over', (t) => {
  const [old, next] = state.rekorLogs
  t.strictSame(describeTrustChange(first, state), [
    {
      kind: 'rekor',
      change: 'ended',
      id: sha256(old?.publicKey),
      url: URL,
      startSeconds: FIRST_SECONDS,
      endSeconds: SECOND_SECONDS
    },
    {
      kind: 'rekor',
      change: 'added',
      id: sha256(next?.publicKey),
      url: URL,
      startSeconds: SECOND_SECONDS
    }
  ])
  t.match(
    describeTrustChange(state, first).map(({ change }) => change),
    ['changed', 'removed'],
    'and the other way round'
  )
  t.end()
})

t.test('authorities are told by their first certificate, and moved ones by their URL', (t) => {
  const moved = {
    ...state,
    certificateAuthorities: state.certificateAuthorities.map((authority) => ({
      ...authority,
      url: 'https://other.example.test'
    })),
    timestampAuthorities: state.timestampAuthorities.slice(1)
  }
  t.strictSame(
    describeTrustChange(state, moved).map(({ kind, change, id, url }) => [kind, change, id, url]),
    [
      ...state.certificateAuthorities.map(({ chain }) => [
        'ca',
        'changed',
        sha256(chain[0]),
        'https://other.example.test'
      ]),
      ['tsa', 'removed', sha256(state.timestampAuthorities[0]?.chain[0]), `${URL}/api/v1/timestamp`]
    ]
  )
  t.end()
})

t.test('a service that goes is told, also where another has its address', (t) => {
  const [rekor, fulcio] = [state.services.rekor, state.services.fulcio]
  t.strictSame(rekor, fulcio, 'both are at one address')
  const off = { ...state, services: { ...state.services, fulcio: [] } }
  const told = { kind: 'service', id: URL, url: URL, startSeconds: FIRST_SECONDS }
  t.strictSame(describeTrustChange(state, off), [{ ...told, change: 'removed' }])
  t.strictSame(describeTrustChange(off, state), [{ ...told, change: 'added' }])
  t.end()
})
