import t from 'tap'
import { decodeUtf8, encodeUtf8 } from '../../src/encoding/text.js'
import type { TrustState } from '../../src/trust/contract.js'
import { findGaps, type LiveServices } from '../../src/trust/gaps.js'
import { buildTrustedRoot } from '../../src/trust/trusted-root.js'
import {
  createTrustState,
  FIRST_SECONDS,
  NOW_SECONDS,
  SECOND_SECONDS
} from '../helpers/trust-state.js'

const state = await createTrustState()
const other = await createTrustState()

/** What a state's newest generation signs with. */
function liveOf({
  rekorLogs,
  ctLogs,
  certificateAuthorities,
  timestampAuthorities
}: TrustState): LiveServices {
  return {
    nowSeconds: NOW_SECONDS,
    rekorKeys: rekorLogs.slice(-1).map(({ publicKey }) => publicKey),
    ctKeys: ctLogs.slice(-1).map(({ publicKey }) => publicKey),
    certificateChains: certificateAuthorities.slice(-1).map(({ chain }) => chain),
    timestampChains: timestampAuthorities.slice(-1).map(({ chain }) => chain)
  }
}

const live = liveOf(state)
const published = buildTrustedRoot(state)

function services(gaps: ReturnType<typeof findGaps>): readonly string[] {
  return gaps.map(({ service }) => service)
}

function replaced(search: string | RegExp, by: string): Uint8Array {
  const text = decodeUtf8(published)
  const result = text.replace(search, by)
  if (result === text) throw new Error('nothing replaced')
  return encodeUtf8(result)
}

t.test('what is published covers what runs, at both ends of the window', (t) => {
  t.same(findGaps(published, live), [])
  t.same(findGaps(published, { ...live, nowSeconds: SECOND_SECONDS }), [])
  const [ca] = state.certificateAuthorities
  t.same(
    findGaps(published, {
      ...live,
      nowSeconds: SECOND_SECONDS,
      certificateChains: [ca?.chain ?? []]
    }),
    [],
    'the first generation until its last second'
  )
  const nothing = { rekorKeys: [], ctKeys: [], certificateChains: [], timestampChains: [] }
  t.same(findGaps(published, { ...nothing, nowSeconds: 0 }), [], 'no service runs')
  t.end()
})

t.test('keys and chains that are not in it', (t) => {
  const gaps = findGaps(published, liveOf(other))
  t.same(services(gaps), ['rekor', 'ct', 'fulcio', 'tsa'])
  t.match(gaps[0]?.problem, 'the key in use is not in it')
  t.match(gaps[2]?.problem, 'the certificate in use is not in it')
  t.same(services(findGaps(published, { ...live, certificateChains: [[]] })), ['fulcio'])
  t.end()
})

t.test('windows: not yet, and no more', (t) => {
  const early = findGaps(published, { ...live, nowSeconds: SECOND_SECONDS - 1 })
  t.same(services(early), ['rekor', 'ct', 'fulcio', 'tsa'])
  t.match(early[0]?.problem, 'tlogs[1] is not to be believed before 2026-06-30T00:00:00Z')
  const [first] = state.rekorLogs
  const late = findGaps(published, { ...live, rekorKeys: [first?.publicKey ?? new Uint8Array()] })
  t.same(services(late), ['rekor'])
  t.match(late[0]?.problem, 'after 2026-06-30T00:00:00Z')
  t.end()
})

t.test('several entries for one key: one is enough', (t) => {
  const [, log] = state.rekorLogs
  const [, tsa] = state.timestampAuthorities
  if (log === undefined || tsa === undefined) throw new Error('no state')
  const closed = { startSeconds: FIRST_SECONDS, endSeconds: FIRST_SECONDS + 1 }
  const twice = buildTrustedRoot({
    ...state,
    rekorLogs: [...state.rekorLogs, { ...log, validity: closed }],
    timestampAuthorities: [{ ...tsa, validity: closed }, ...state.timestampAuthorities]
  })
  t.same(findGaps(twice, live), [])
  t.end()
})

t.test('entries that differ', (t) => {
  const text = decodeUtf8(published)
  const { tlogs } = JSON.parse(text) as { tlogs: { logId: { keyId: string } }[] }
  const [firstId, secondId] = tlogs.map(({ logId }) => logId.keyId)
  const cases: readonly [title: string, bytes: Uint8Array, expected: readonly string[], RegExp][] =
    [
      ['log id', replaced(secondId ?? '', firstId ?? ''), ['rekor'], /wrong log id/],
      [
        'key details',
        replaced(/PKIX_ECDSA_P256_SHA_256(?![^]*PKIX)/, 'PKIX_ED25519'),
        ['ct'],
        /does not call its key PKIX_ECDSA_P256_SHA_256/
      ],
      ['hash', replaced(/SHA2_256(?![^]*SHA2_256)/, 'SHA2_512'), ['ct'], /another hash/],
      ['media type', replaced('version=0.1', 'version=0.3'), ['file'], /^mediaType is/],
      ['unknown member', replaced('"tlogs"', '"x": 1, "tlogs"'), ['file'], /"x"/],
      ['no file', encodeUtf8(''), ['file', 'rekor', 'ct', 'fulcio', 'tsa'], /not valid JSON/]
    ]
  for (const [title, bytes, expected, says] of cases) {
    const gaps = findGaps(bytes, live)
    t.same(services(gaps), expected, title)
    t.match(gaps[0]?.problem, says, title)
  }
  t.end()
})

t.test('the log id of the key in use with another key', (t) => {
  const [, ours] = state.rekorLogs
  const [, theirs] = other.rekorLogs
  if (ours === undefined || theirs === undefined) throw new Error('no log')
  const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  const gaps = findGaps(replaced(encode(ours.publicKey), encode(theirs.publicKey)), live)
  t.same(services(gaps), ['rekor'])
  t.match(gaps[0]?.problem, 'tlogs[1] has the log id of the key in use, but another key')
  t.end()
})

t.test('the certificate in use in another chain', (t) => {
  const [, ca] = state.certificateAuthorities
  const [, tsa] = state.timestampAuthorities
  if (ca === undefined || tsa === undefined) throw new Error('no state')
  const gaps = findGaps(published, {
    ...live,
    certificateChains: [ca.chain.slice(0, 1)],
    timestampChains: [[tsa.chain[0], ...tsa.chain.slice(1).toReversed()]]
  })
  t.same(services(gaps), ['fulcio', 'tsa'])
  t.match(gaps[0]?.problem, 'certificateAuthorities[1] has the certificate in use in another chain')
  t.end()
})
