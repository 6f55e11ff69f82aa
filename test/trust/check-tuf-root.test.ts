import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { checkTrustFile, type TrustFinding, type TufRoots } from '../../src/trust/check.js'
import { createTrustState, NOW_SECONDS } from '../helpers/trust-state.js'

const state = await createTrustState()

interface RootFields {
  readonly version: number
  readonly keys?: readonly string[]
  readonly expires?: string
  readonly type?: string
}

/** As much of a root as is looked at. */
function root({
  version,
  keys = ['aa', 'bb'],
  expires = '2028-01-01T00:00:00Z',
  type = 'root'
}: RootFields): string {
  const ids = Object.fromEntries(keys.map((id) => [id, { keytype: 'ecdsa' }]))
  return JSON.stringify({
    signatures: [{ keyid: keys[0], sig: '00' }],
    signed: { _type: type, version, expires, keys: ids, consistent_snapshot: true }
  })
}

const current = root({ version: 3, keys: ['bb', 'cc'] })
const earlierRoots = [root({ version: 1 }), root({ version: 2, keys: ['aa', 'bb', 'cc'] })]

function check(text: string, tuf: TufRoots | undefined): readonly TrustFinding[] {
  return checkTrustFile({ bytes: encodeUtf8(text), state, nowSeconds: NOW_SECONDS, tuf })
}

interface Case {
  readonly text: string
  readonly tuf: TufRoots | undefined
  readonly found: readonly string[]
  readonly says: RegExp
}

const all = { root: current, earlierRoots }
const CASES: Readonly<Record<string, Case>> = {
  newest: { text: current, tuf: all, found: ['ok file'], says: /newest .* version 3/ },
  'newest, spaced otherwise': {
    text: JSON.stringify(JSON.parse(current), undefined, 4),
    tuf: { root: current },
    found: ['ok file'],
    says: /newest/
  },
  stale: {
    text: root({ version: 1 }),
    tuf: all,
    found: ['warning signed.version'],
    says: /is 1, and the newest is 3: clients find their way/
  },
  'stale, with nothing to compare': {
    text: root({ version: 1 }),
    tuf: { root: current },
    found: ['warning signed.version'],
    says: /is 1, and the newest is 3: take root\.json/
  },
  'another repository': {
    text: root({ version: 3, keys: ['dd'] }),
    tuf: all,
    found: ['error signed.keys'],
    says: /another TUF repository/
  },
  newer: {
    text: root({ version: 4, keys: ['cc'] }),
    tuf: all,
    found: ['error signed.version'],
    says: /is 4, and this server has only 3/
  },
  'changed, of the newest version': {
    text: current.replace('"00"', '"01"'),
    tuf: { root: current },
    found: ['error file'],
    says: /somebody changed it/
  },
  'changed, of an older version': {
    text: root({ version: 1, keys: ['aa', 'bb', 'ee'] }),
    tuf: all,
    found: ['error file'],
    says: /not version 1 as this server published it/
  },
  'a number that no root has': {
    text: current.replace('true', '1e999'),
    tuf: all,
    found: ['error file'],
    says: /changed/
  },
  'stale and expired': {
    text: root({ version: 1, expires: '2026-02-01T00:00:00Z' }),
    tuf: { root: current },
    found: ['warning signed.version', 'warning signed.expires'],
    says: /newest is 3/
  },
  'no repository here': { text: current, tuf: undefined, found: ['warning file'], says: /no TUF/ },
  'other metadata': {
    text: root({ version: 1, type: 'targets' }),
    tuf: all,
    found: ['error signed._type'],
    says: /"targets": clients begin with root\.json/
  },
  'no kind': {
    text: '{"signed":{}}',
    tuf: all,
    found: ['error signed._type'],
    says: /of no kind/
  },
  'no object': {
    text: '{"signed":5}',
    tuf: all,
    found: ['error signed', 'error signed._type'],
    says: /object/
  },
  'no expiry': {
    text: '{"signed":{"_type":"root","version":1}}',
    tuf: all,
    found: ['error signed'],
    says: /no expiry/
  },
  'an expiry that is none': {
    text: root({ version: 1, expires: 'never' }),
    tuf: all,
    found: ['error signed.expires', 'error signed'],
    says: /must be a time/
  },
  'keys that are none': {
    text: '{"signed":{"_type":"root","version":1,"expires":"2028-01-01T00:00:00Z","keys":[]}}',
    tuf: all,
    found: ['error signed.keys'],
    says: /another/
  }
}

for (const [title, { text, tuf, found, says }] of Object.entries(CASES)) {
  t.test(title, (t) => {
    const findings = check(text, tuf)
    t.same(
      findings.map(({ severity, where }) => `${severity} ${where}`),
      found
    )
    t.match(findings[0]?.message, says)
    t.end()
  })
}

t.test('a newest root that has expired is for the server to put right', (t) => {
  const text = root({ version: 1, expires: '2026-02-01T00:00:00Z' })
  const findings = check(text, { root: text })
  t.same(
    findings.map(({ severity }) => severity),
    ['ok', 'error']
  )
  t.match(findings[1]?.message, /must sign a new root/)
  t.end()
})
