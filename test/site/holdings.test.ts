import t from 'tap'
import { logNameOf, ctLogIdOf } from '../../src/ct/signing.js'
import { encodePem } from '../../src/encoding/pem.js'
import {
  type Circumstances,
  type HeldTree,
  type Holdings,
  trustStateOf
} from '../../src/site/holdings.js'
import { holdingsAfter, holdingsWith, type PlannedChange } from '../../src/site/planned-change.js'
import type { AuthorityRecord } from '../../src/store/authority-records.js'
import type { NewTree } from '../../src/store/log-store.js'
import { buildTrustedRoot } from '../../src/trust/trusted-root.js'
import { findGaps } from '../../src/trust/gaps.js'
import { newSigner } from '../helpers/test-tsa.js'
import {
  FIRST_SECONDS,
  newCertificateAuthority,
  newTimestampAuthority
} from '../helpers/trust-state.js'

const URL = 'https://sigstead.example.test'
/** Clocks may be this far apart. */
const SKEW = 300
const DAY = 86_400

const [KEY_A, KEY_B, KEY_C] = [await newKey(), await newKey(), await newKey()]
/** Of a log elsewhere. */
const REMOTE_KEY = await newKey()
const CA = [await ca('one'), await ca('two')] as const
const TSA = [await tsa(), await tsa()] as const

const AROUND: Circumstances = {
  publicUrl: URL,
  operator: 'sigstead.example.test',
  serves: { ca: true, tsa: true },
  oidcIssuer: 'https://login.example.test'
}

async function newKey(): Promise<Uint8Array> {
  return (await newSigner()).publicKey
}

async function ca(name: string): Promise<readonly string[]> {
  const { chain } = await newCertificateAuthority(name, { startSeconds: FIRST_SECONDS })
  return chain.map((der) => encodePem('CERTIFICATE', der))
}

async function tsa(): Promise<readonly string[]> {
  const { chain } = await newTimestampAuthority({ startSeconds: FIRST_SECONDS }, false)
  return chain.map((der) => encodePem('CERTIFICATE', der))
}

/** A tree made so many days after the first. */
function tree(publicKey: Uint8Array, day: number, isStaged?: boolean): HeldTree {
  const createdTimeSeconds = FIRST_SECONDS + day * DAY
  return { publicKey, createdTimeSeconds, ...(isStaged === undefined ? {} : { isStaged }) }
}

function newTree(log: 'rekor' | 'ct', publicKey: Uint8Array, day: number): NewTree {
  const { createdTimeSeconds } = tree(publicKey, day)
  return { treeId: '1', log, origin: 'o', publicKey, keyName: 'k.pem', createdTimeSeconds }
}

function authority(chain: readonly string[], from: number, until?: number): AuthorityRecord {
  return {
    keyName: 'k.pem',
    chain,
    activeFromSeconds: FIRST_SECONDS + from * DAY,
    ...(until === undefined ? {} : { activeUntilSeconds: FIRST_SECONDS + until * DAY })
  }
}

const HELD: Holdings = {
  rekor: [tree(KEY_A, 0)],
  ct: [tree(KEY_B, 0)],
  ca: [authority(CA[0], 0)],
  tsa: [authority(TSA[0], 0)]
}

/** Start and end in days after the first, without the margins. */
function windowOf(
  { startSeconds, endSeconds }: { startSeconds: number; endSeconds?: number },
  use = 0
): readonly (number | undefined)[] {
  return [
    (startSeconds + SKEW - FIRST_SECONDS) / DAY,
    endSeconds === undefined ? undefined : (endSeconds - use - SKEW - FIRST_SECONDS) / DAY
  ]
}

t.test('one key each: everything begins a little before it was made, and nothing ends', (t) => {
  const state = trustStateOf(HELD, AROUND)
  const validity = { startSeconds: FIRST_SECONDS - SKEW }
  t.strictSame(state.rekorLogs, [{ baseUrl: URL, publicKey: KEY_A, validity }])
  const ctName = logNameOf(ctLogIdOf(KEY_B))
  t.strictSame(state.ctLogs, [{ baseUrl: `${URL}/ctlog/${ctName}`, publicKey: KEY_B, validity }])
  t.equal(state.certificateAuthorities.length, 1)
  t.match(state.certificateAuthorities[0], { url: URL, validity })
  t.equal(state.certificateAuthorities[0]?.validity.endSeconds, undefined)
  t.match(state.timestampAuthorities, [{ url: `${URL}/api/v1/timestamp`, validity }])
  t.strictSame(
    state.certificateAuthorities[0]?.chain.map((der) => encodePem('CERTIFICATE', der)),
    CA[0],
    'the whole chain, in its order'
  )
  t.strictSame(state.services, {
    rekor: [{ url: URL, majorApiVersion: 1, validity }],
    fulcio: [{ url: URL, majorApiVersion: 1, validity }],
    tsa: [{ url: `${URL}/api/v1/timestamp`, majorApiVersion: 1, validity }],
    oidc: [{ url: 'https://login.example.test', majorApiVersion: 1, validity }]
  })
  t.end()
})

t.test('trees that sign with one key are one log', (t) => {
  const cases: [name: string, trees: readonly HeldTree[], want: readonly unknown[]][] = [
    [
      'A, B',
      [tree(KEY_A, 0), tree(KEY_B, 10)],
      [
        [KEY_A, 0, 10],
        [KEY_B, 10]
      ]
    ],
    ['A, A', [tree(KEY_A, 0), tree(KEY_A, 10)], [[KEY_A, 0]]],
    [
      'A, A, B',
      [tree(KEY_A, 0), tree(KEY_A, 10), tree(KEY_B, 20)],
      [
        [KEY_A, 0, 20],
        [KEY_B, 20]
      ]
    ],
    [
      'A, B, B, C',
      [tree(KEY_A, 0), tree(KEY_B, 5), tree(KEY_B, 7), tree(KEY_C, 9)],
      [
        [KEY_A, 0, 5],
        [KEY_B, 5, 9],
        [KEY_C, 9]
      ]
    ],
    [
      'A, B, A',
      [tree(KEY_A, 0), tree(KEY_B, 5), tree(KEY_A, 7)],
      [
        [KEY_B, 5, 7],
        [KEY_A, 0]
      ]
    ],
    [
      'A, B waits: it closes nothing',
      [tree(KEY_B, 10, true), tree(KEY_A, 0)],
      [
        [KEY_B, 10],
        [KEY_A, 0]
      ]
    ],
    [
      'A, B, C waits',
      [tree(KEY_A, 0), tree(KEY_C, 20, true), tree(KEY_B, 10)],
      [
        [KEY_A, 0, 10],
        [KEY_C, 20],
        [KEY_B, 10]
      ]
    ],
    [
      'A, another tree of A waits: what A signed before stays believed',
      [tree(KEY_A, 10, true), tree(KEY_A, 0)],
      [[KEY_A, 0]]
    ]
  ]
  for (const [name, trees, want] of cases) {
    for (const log of ['rekor', 'ct'] as const) {
      const state = trustStateOf({ ...HELD, [log]: trees }, AROUND)
      const logs = log === 'rekor' ? state.rekorLogs : state.ctLogs
      t.strictSame(
        logs.map(({ publicKey, validity }) => [publicKey, ...windowOf(validity)]),
        (want as unknown[][]).map((item) => (item.length === 3 ? item : [...item, undefined])),
        `${log}: ${name}`
      )
    }
  }
  t.end()
})

t.test('an authority is believed until the last of its certificates has been used', (t) => {
  const held = {
    ...HELD,
    ca: [authority(CA[0], 0, 10), authority(CA[1], 10)],
    tsa: [authority(TSA[0], 0, 10), authority(TSA[1], 10)]
  }
  const { certificateAuthorities, timestampAuthorities } = trustStateOf(held, AROUND)
  t.strictSame(
    certificateAuthorities.map(({ validity }) => windowOf(validity, 600)),
    [
      [0, 10],
      [10, undefined]
    ],
    'ten minutes longer: what was issued in the last second is good that long'
  )
  t.strictSame(
    timestampAuthorities.map(({ validity }) => windowOf(validity)),
    [
      [0, 10],
      [10, undefined]
    ]
  )
  t.end()
})

t.test('services that are off are not named, and what they signed stays believed', (t) => {
  const off = trustStateOf(HELD, { ...AROUND, serves: { ca: false, tsa: false } })
  t.strictSame([off.services.fulcio, off.services.tsa, off.services.oidc], [[], [], []])
  t.equal(off.services.rekor.length, 1)
  t.equal(off.certificateAuthorities.length, 1)
  t.equal(off.timestampAuthorities.length, 1)

  const none = trustStateOf({ ...HELD, ca: [], tsa: [], ct: [] }, AROUND)
  t.strictSame([none.ctLogs, none.certificateAuthorities, none.timestampAuthorities], [[], [], []])
  t.strictSame(
    [none.services.fulcio, none.services.tsa, none.services.oidc],
    [[], [], []],
    'on, and not made yet'
  )
  t.strictSame(trustStateOf(HELD, { ...AROUND, oidcIssuer: undefined }).services.oidc, [])
  t.end()
})

t.test('a certificate log elsewhere is believed since the first authority', (t) => {
  const remoteCtLog = { url: 'https://ct.example.test/2026', publicKey: KEY_C }
  const held = { ...HELD, ca: [authority(CA[0], 0, 10), authority(CA[1], 10)] }
  const { ctLogs } = trustStateOf(held, { ...AROUND, remoteCtLog })
  t.strictSame(ctLogs.at(-1), {
    baseUrl: remoteCtLog.url,
    publicKey: KEY_C,
    validity: { startSeconds: FIRST_SECONDS - SKEW }
  })
  t.equal(ctLogs.length, 2, 'beside our own')
  const without = trustStateOf({ ...HELD, ca: [] }, { ...AROUND, remoteCtLog })
  t.equal(without.ctLogs.length, 1, 'there is nobody who would use it')
  t.end()
})

t.test('what waits is believed beside what is in use, and moves nothing', (t) => {
  const changes: readonly PlannedChange[] = [
    { what: 'log', tree: newTree('rekor', KEY_C, 30) },
    { what: 'ct', tree: newTree('ct', KEY_C, 30) },
    {
      what: 'ca',
      authority: { keyName: 'n.pem', chain: CA[1] },
      atSeconds: FIRST_SECONDS + 30 * DAY
    },
    {
      what: 'tsa',
      authority: { keyName: 'n.pem', chain: TSA[1] },
      atSeconds: FIRST_SECONDS + 30 * DAY
    }
  ]
  const around = {
    ...AROUND,
    remoteCtLog: { url: 'https://ct.example.test/2026', publicKey: REMOTE_KEY }
  }
  const before = trustStateOf(HELD, around)
  const lists = {
    log: 'rekorLogs',
    ct: 'ctLogs',
    ca: 'certificateAuthorities',
    tsa: 'timestampAuthorities'
  } as const
  for (const change of changes) {
    const name = lists[change.what]
    const waiting = trustStateOf(holdingsWith(HELD, change), around)
    t.equal(waiting[name].length, before[name].length + 1, change.what)
    t.strictSame(
      waiting[name].filter(({ validity }) => validity.startSeconds < FIRST_SECONDS),
      before[name],
      `${change.what}: what was there is as it was`
    )
    t.strictSame(waiting.services, before.services, `${change.what}: so are the services`)
    t.strictSame(
      { ...waiting, [name]: [] },
      { ...before, [name]: [] },
      `${change.what}: and the rest`
    )
    const done = trustStateOf(holdingsAfter(HELD, change), around)
    t.strictSame(done.services, before.services, `${change.what}: done`)
    const [old] = done[name]
    const use = change.what === 'ca' ? 600 : 0
    t.strictSame(windowOf(old?.validity ?? { startSeconds: 0 }, use), [0, 30], change.what)
  }
  t.end()
})

t.test('what is made of it has no gap, on both sides of a rotation', (t) => {
  const change: PlannedChange = { what: 'log', tree: newTree('rekor', KEY_C, 30) }
  const live = (key: Uint8Array, nowSeconds: number) => ({
    nowSeconds,
    rekorKeys: [key],
    ctKeys: [KEY_B],
    certificateChains: trustStateOf(HELD, AROUND).certificateAuthorities.map(({ chain }) => chain),
    timestampChains: trustStateOf(HELD, AROUND).timestampAuthorities.map(({ chain }) => chain)
  })
  const at = FIRST_SECONDS + 30 * DAY
  const before = buildTrustedRoot(trustStateOf(HELD, AROUND))
  const after = buildTrustedRoot(trustStateOf(holdingsAfter(HELD, change), AROUND))
  t.strictSame(findGaps(before, live(KEY_A, at)), [])
  t.strictSame(findGaps(after, live(KEY_A, at)), [], 'the last entry of the old tree')
  t.strictSame(findGaps(after, live(KEY_C, at)), [], 'the first of the new one')
  t.match(findGaps(before, live(KEY_C, at)), [{ service: 'rekor' }])
  t.match(findGaps(after, live(KEY_A, at + DAY)), [{ service: 'rekor' }])
  t.end()
})
