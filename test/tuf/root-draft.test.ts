import t from 'tap'
import type { TufRepository, TufSigners } from '../../src/tuf/contract.js'
import { describeDraft } from '../../src/tuf/describe-draft.js'
import { signDraft } from '../../src/tuf/draft.js'
import { tufKeyId } from '../../src/tuf/keys.js'
import { encodeRepository, readRepository } from '../../src/tuf/read-repository.js'
import { acceptFirstRoot, acceptRoot, draftRoot } from '../../src/tuf/root-draft.js'
import { readRoot } from '../../src/tuf/roles.js'
import { acceptTargets, draftTargets } from '../../src/tuf/targets-draft.js'
import type { Signer } from '../../src/keys/signer.js'
import { refusalText } from '../helpers/refusals.js'
import {
  DAY,
  FILES,
  keysOf,
  LIFETIMES,
  newClient,
  newRepository,
  newSigners,
  NO_SIGNERS,
  NOW,
  rolesOf,
  startMirror,
  textTarget
} from '../helpers/tuf.js'

const TIME = { lifetimes: LIFETIMES, nowSeconds: NOW }

async function signAll(draft: string, signers: readonly Signer[]): Promise<string> {
  let signed = draft
  for (const signer of signers) signed = await signDraft(signed, signer)
  return signed
}

const confirm = (draft: string): string => describeDraft(draft, undefined).sha256

const versionsOf = ({
  roots,
  targets,
  snapshots,
  timestamp
}: TufRepository): readonly unknown[] => [
  roots.length,
  targets[0]?.version,
  snapshots[0]?.version,
  timestamp.version
]

/** A draft whose JSON is changed behind the back of everybody. */
function tamper(draft: string, change: (content: DraftJson) => void): string {
  const content = JSON.parse(draft) as DraftJson
  change(content)
  return JSON.stringify(content)
}

interface DraftJson {
  kind: string
  format: number
  extra?: number
  trustedRoot?: MetadataJson
  metadata: MetadataJson
}

interface MetadataJson {
  signatures: { keyid: string; sig: string }[]
  signed: {
    version: number
    expires: string
    consistent_snapshot: boolean
    keys: Record<string, { keytype: string; keyval: { public: string }; extra?: number }>
    roles: Record<string, { keyids: string[]; threshold: number }>
    delegations?: unknown
  }
}

t.test('clients follow roots through changes of every key', async (t) => {
  const first = await newRepository()
  let { repository } = first
  let signers: TufSigners = first.signers
  const mirror = await startMirror(repository)
  t.teardown(() => mirror.close())
  const folder = t.testdir()
  const old = newClient(`${folder}/old`, mirror, repository.roots[0] ?? '')
  await old.fetch('trusted_root.json')

  const change = async (
    roles: Partial<ReturnType<typeof rolesOf>>,
    next: TufSigners,
    by: readonly Signer[]
  ): Promise<void> => {
    const draft = await signAll(draftRoot(repository, { roles }, TIME), by)
    const accepted = await acceptRoot(repository, draft, confirm(draft), { ...TIME, signers: next })
    t.same(readRepository(encodeRepository(accepted)), accepted)
    repository = accepted
    signers = next
    mirror.publish(repository)
    t.equal((await old.fetch('trusted_root.json')).length, 1)
    t.equal(old.rootVersion(), repository.roots.length)
  }

  const two = signers.root.slice(0, 2)
  await change({}, signers, two)
  t.same(versionsOf(repository), [2, 1, 1, 1], 'a renewal leaves the rest alone')

  const timestamp = await newSigners(1)
  await change({ timestamp: keysOf(timestamp) }, { ...signers, timestamp }, two)
  t.same(versionsOf(repository), [3, 1, 1, 2])

  const snapshot = await newSigners(1)
  await change({ snapshot: keysOf(snapshot) }, { ...signers, snapshot }, two)
  t.same(versionsOf(repository), [4, 1, 2, 3])

  const targets = await newSigners(3)
  await change({ targets: keysOf(targets, 2) }, { ...signers, targets }, two)
  t.same(versionsOf(repository), [5, 2, 3, 4])

  const root = await newSigners(3)
  await change({ root: keysOf(root, 2) }, { ...signers, root }, [...two, ...root.slice(1)])
  t.same(versionsOf(repository), [6, 2, 3, 4])

  const all = await newSigners(4)
  const fresh = {
    root: all.slice(0, 1),
    targets: all.slice(1, 2),
    snapshot: all.slice(2, 3),
    timestamp: all.slice(3)
  }
  await change(rolesOf(fresh), fresh, [...root.slice(0, 2), ...fresh.root])
  t.same(versionsOf(repository), [7, 3, 4, 5])
  t.same(readRoot(repository.roots[6] ?? '').roles, rolesOf(fresh))

  const late = newClient(`${folder}/late`, mirror, repository.roots[0] ?? '')
  t.equal((await late.fetch('rekor.pub')).length, 1, 'one that begins with the first root')
  t.equal(late.rootVersion(), 7)
  const recent = newClient(`${folder}/recent`, mirror, repository.roots[6] ?? '')
  t.equal((await recent.fetch('rekor.pub')).length, 1, 'one that begins with the newest root')
})

t.test('a ceremony: keys of root and targets are elsewhere from the first day', async (t) => {
  const [root, targets, online] = await Promise.all([newSigners(3), newSigners(3), newSigners(1)])
  const here = { ...NO_SIGNERS, snapshot: online, timestamp: online }
  const roles = rolesOf({ ...here, root, targets }, { root: 2, targets: 2 })
  const unsigned = draftRoot(undefined, { roles }, TIME)
  const rootDraft = await signAll(unsigned, root.slice(1))
  const unsignedTargets = draftTargets(undefined, FILES, { ...TIME, rootDraft: unsigned })
  const targetsDraft = await signAll(unsignedTargets, targets.slice(0, 2))
  const options = { ...TIME, signers: here, targets: FILES, targetsDraft }
  const repository = await acceptFirstRoot(rootDraft, confirm(rootDraft), options)
  t.same(readRepository(encodeRepository(repository)), repository)
  const mirror = await startMirror(repository)
  t.teardown(() => mirror.close())
  const client = newClient(t.testdir(), mirror, repository.roots[0] ?? '')
  t.equal((await client.fetch('trusted_root.json')).length, 1)

  const refused = async (
    draft: string,
    sha256: string,
    change: Partial<typeof options> = {}
  ): Promise<string> => refusalText(() => acceptFirstRoot(draft, sha256, { ...options, ...change }))
  t.match(await refused(rootDraft, ''), /^verification_failed: .* SHA-256/)
  t.match(await refused(rootDraft, confirm(unsigned)), /^verification_failed: .* SHA-256/)
  t.match(
    await refused(unsigned, confirm(unsigned)),
    /^verification_failed: root .* lacks 2 of the 2/
  )
  const one = await signAll(unsigned, root.slice(0, 1))
  t.match(await refused(one, confirm(one)), /^verification_failed: root .* lacks 1 of the 2/)
  t.match(
    await refused(rootDraft, confirm(rootDraft), { targetsDraft: unsignedTargets }),
    /^verification_failed: targets .* lacks 2/
  )
  const { targetsDraft: _, ...online_ } = options
  t.match(
    await refusalText(() => acceptFirstRoot(rootDraft, confirm(rootDraft), online_)),
    /^conflict: targets metadata needs 2 signatures, and only 0/
  )
  const later = draftRoot(repository, {}, TIME)
  t.match(await refused(later, confirm(later)), /^conflict: the draft is one of a later root/)
  t.match(
    await refused(targetsDraft, confirm(targetsDraft)),
    /^invalid_request: not a draft of a root/
  )

  await t.test('new keys for targets that are elsewhere', async (t) => {
    const next = await newSigners(2)
    const draft = await signAll(
      draftRoot(repository, { roles: { targets: keysOf(next, 2) } }, TIME),
      root.slice(0, 2)
    )
    const accept = (drafted?: { draft: string; targets: typeof FILES }): Promise<TufRepository> =>
      acceptRoot(repository, draft, confirm(draft), {
        ...TIME,
        signers: here,
        ...(drafted === undefined ? {} : { draftedTargets: drafted })
      })
    t.match(await refusalText(() => accept()), /^conflict: .* draft targets for it as well/)
    const forOldRoot = await signAll(draftTargets(repository, FILES, TIME), targets.slice(0, 2))
    t.match(
      await refusalText(() => accept({ draft: forOldRoot, targets: FILES })),
      /^verification_failed: targets .* not of a key that may sign/
    )
    const forNewRoot = await signAll(
      draftTargets(repository, FILES, { ...TIME, rootDraft: draft }),
      next
    )
    const accepted = await accept({ draft: forNewRoot, targets: FILES })
    t.same(versionsOf(accepted), [2, 2, 2, 2])
    t.same(readRepository(encodeRepository(accepted)), accepted)
    mirror.publish(accepted)
    t.equal((await client.fetch('trusted_root.json')).length, 1)
    t.match(
      await refusalText(() => acceptTargets(repository, forNewRoot, { ...options })),
      /^verification_failed: targets .* not of a key that may sign/,
      'not without the root it is for'
    )
  })

  await t.test('one more key for targets, and those that signed still suffice', async (t) => {
    const more = keysOf([...targets, ...(await newSigners(1))], 2)
    const draft = await signAll(draftRoot(repository, { roles: { targets: more } }, TIME), root)
    const accepted = await acceptRoot(repository, draft, confirm(draft), { ...TIME, signers: here })
    t.same(versionsOf(accepted), [2, 1, 1, 1])
    t.same(readRepository(encodeRepository(accepted)), accepted)
  })
})

t.test('a root is refused', async (t) => {
  const { repository, signers } = await newRepository()
  const next = await newSigners(2)
  const [a, b, c] = signers.root
  const [x, y] = next
  const [stranger] = await newSigners(1)
  if (!a || !b || !c || !x || !y || !stranger) throw new Error('signers')
  const unsigned = draftRoot(repository, { roles: { root: keysOf(next, 2) } }, TIME)
  const good = await signAll(unsigned, [a, b, x, y])
  const accept = (
    draft: string,
    confirmation = confirm(draft),
    now = NOW,
    on: TufRepository = repository
  ): Promise<TufRepository> =>
    acceptRoot(on, draft, confirmation, { lifetimes: LIFETIMES, nowSeconds: now, signers })
  const second = await accept(good)
  t.equal(second.roots.length, 2)

  const refused = async (
    name: string,
    expected: RegExp,
    ...args: Parameters<typeof accept>
  ): Promise<void> => {
    t.match(await refusalText(async () => accept(...args)), expected, name)
  }
  await refused('unconfirmed', /^verification_failed: .* SHA-256/, good, '')
  await refused(
    'in capitals',
    /^verification_failed: .* SHA-256/,
    good,
    confirm(good).toUpperCase()
  )
  await refused(
    'one signature less confirmed',
    /SHA-256/,
    good,
    confirm(await signAll(unsigned, [a, b, x]))
  )
  await refused(
    'by old keys only',
    /lacks 2 of the 2 signatures that root version 2/,
    await signAll(unsigned, [a, b])
  )
  await refused(
    'by new keys only',
    /lacks 2 of the 2 signatures that root version 1/,
    await signAll(unsigned, [x, y])
  )
  await refused(
    'one old',
    /lacks 1 of the 2 signatures that root version 1/,
    await signAll(unsigned, [x, y, c])
  )
  await refused(
    'one new',
    /lacks 1 of the 2 signatures that root version 2/,
    await signAll(unsigned, [a, b, x])
  )
  const expires = NOW + LIFETIMES.root.seconds
  t.equal((await accept(good, confirm(good), expires - 1)).roots.length, 2)
  await refused(
    'expired',
    /^verification_failed: the draft of a root expired at/,
    good,
    confirm(good),
    expires
  )
  await refused(
    'twice',
    /^conflict: the draft was made for another root/,
    good,
    confirm(good),
    NOW,
    second
  )
  const other = await newRepository()
  await refused(
    'elsewhere',
    /^conflict: the draft was made for another root/,
    good,
    confirm(good),
    NOW,
    other.repository
  )

  const changed = (change: (content: DraftJson) => void): string => tamper(good, change)
  const roles = (content: DraftJson, role: string): { keyids: string[]; threshold: number } => {
    const found = content.metadata.signed.roles[role]
    if (found === undefined) throw new Error(role)
    return found
  }
  const anyKey = (content: DraftJson): DraftJson['metadata']['signed']['keys'][string] => {
    const [key] = Object.values(content.metadata.signed.keys)
    if (key === undefined) throw new Error('no key')
    return key
  }
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no JSON', '{', /^invalid_request: not valid JSON/],
    ['nothing', '{}', /^invalid_request: not a draft/],
    ['null', 'null', /^invalid_request: not a draft/],
    ['too large', ' '.repeat(12_000_001), /^too_large/],
    ['metadata itself', repository.roots[0] ?? '', /^invalid_request: not a draft/],
    [
      'no metadata',
      '{"kind":"sigstead-tuf-draft","format":1}',
      /^invalid_request: not a draft of root or/
    ],
    [
      'format 2',
      changed((d) => {
        d.format = 2
      }),
      /^invalid_request: not a draft/
    ],
    [
      'more',
      changed((d) => {
        d.extra = 1
      }),
      /^invalid_request: draft: unknown member "extra"/
    ],
    [
      'a member twice',
      good.replace('"kind"', '"format":1,"kind"'),
      /^invalid_request: member "format" stands twice/
    ],
    [
      'no root before',
      changed((d) => {
        delete d.trustedRoot
      }),
      /^conflict: root version 2 where 1 is next/
    ],
    [
      'rolled back',
      changed((d) => {
        d.metadata.signed.version = 1
      }),
      /^conflict: root version 1 where 2/
    ],
    [
      'too far',
      changed((d) => {
        d.metadata.signed.version = 3
      }),
      /^conflict: root version 3 where 2/
    ],
    [
      'version 0',
      changed((d) => {
        d.metadata.signed.version = 0
      }),
      /^invalid_request: root: version 0/
    ],
    [
      'half a version',
      changed((d) => {
        d.metadata.signed.version = 2.5
      }),
      /^invalid_request: root: version 2.5/
    ],
    [
      'threshold 0',
      changed((d) => {
        roles(d, 'root').threshold = 0
      }),
      /^invalid_request: root metadata: threshold must be at least 1/
    ],
    [
      'half a threshold',
      changed((d) => {
        roles(d, 'root').threshold = 1.5
      }),
      /^invalid_request: root: threshold 1.5/
    ],
    [
      'threshold out of reach',
      changed((d) => {
        roles(d, 'timestamp').threshold = 2
      }),
      /^invalid_request: root: threshold 2/
    ],
    [
      'threshold lowered',
      changed((d) => {
        roles(d, 'root').threshold = 1
      }),
      /^verification_failed: .* is not good/
    ],
    [
      'a key of nobody',
      changed((d) => {
        roles(d, 'targets').keyids.pop()
      }),
      /^invalid_request: root: key .* is of no role/
    ],
    [
      'an unknown key',
      changed((d) => {
        roles(d, 'targets').keyids.push('00')
      }),
      /^invalid_request: root: role targets has no key 00/
    ],
    [
      'a key twice',
      changed((d) => {
        const { keyids } = roles(d, 'root')
        keyids.push(keyids[0] ?? '')
      }),
      /^invalid_request: root metadata: duplicate key IDs/
    ],
    [
      'another role',
      changed((d) => {
        d.metadata.signed.roles.mirrors = roles(d, 'root')
      }),
      /^invalid_request: root: role mirrors/
    ],
    [
      'a role less',
      changed((d) => {
        delete d.metadata.signed.roles.timestamp
      }),
      /^invalid_request: root metadata: missing top-level role/
    ],
    [
      'not consistent',
      changed((d) => {
        d.metadata.signed.consistent_snapshot = false
      }),
      /^unsupported: root: consistent_snapshot/
    ],
    [
      'delegations',
      changed((d) => {
        d.metadata.signed.delegations = {}
      }),
      /^invalid_request: root: unknown member "delegations"/
    ],
    [
      'type of key',
      changed((d) => {
        anyKey(d).keytype = 'ed25519'
      }),
      /^unsupported: key .* is not of scheme/
    ],
    [
      'more of a key',
      changed((d) => {
        anyKey(d).extra = 1
      }),
      /^invalid_request: key .* has another id or more members/
    ],
    [
      'PEM with a blank',
      changed((d) => {
        anyKey(d).keyval.public += ' '
      }),
      /^invalid_request: key .* has another id/
    ],
    [
      'no PEM',
      changed((d) => {
        anyKey(d).keyval.public = 'aa'
      }),
      /^invalid_request: no PEM block/
    ],
    [
      'expires',
      changed((d) => {
        d.metadata.signed.expires = '2030-02-30T00:00:00Z'
      }),
      /^invalid_request: not a time/
    ],
    [
      'milliseconds',
      changed((d) => {
        d.metadata.signed.expires = '2030-02-01T00:00:00.000Z'
      }),
      /^invalid_request: not a time/
    ],
    [
      'later',
      changed((d) => {
        d.metadata.signed.expires = '2099-01-01T00:00:00Z'
      }),
      /^verification_failed: .* is not good/
    ],
    [
      'signature cut',
      changed((d) => {
        const s = d.metadata.signatures[0]
        if (s) s.sig = s.sig.slice(2)
      }),
      /^verification_failed: .* is not good/
    ],
    [
      'signature of nobody',
      changed((d) => {
        const s = d.metadata.signatures[0]
        if (s) s.keyid = '0'.repeat(64)
      }),
      /^verification_failed: .* not of a key that may sign/
    ],
    [
      'signature in capitals',
      changed((d) => {
        const s = d.metadata.signatures[0]
        if (s) s.sig = s.sig.toUpperCase()
      }),
      /^invalid_request: root: signature of/
    ],
    [
      'signature twice',
      changed((d) => {
        const s = d.metadata.signatures[0]
        if (s) d.metadata.signatures.push(s)
      }),
      /^invalid_request: root metadata: multiple signatures/
    ],
    [
      'signatures swapped',
      changed((d) => {
        const [s, r] = d.metadata.signatures
        if (s && r) [s.sig, r.sig] = [r.sig, s.sig]
      }),
      /^verification_failed: .* is not good/
    ],
    [
      'root before without signatures',
      changed((d) => {
        if (d.trustedRoot) d.trustedRoot.signatures = []
      }),
      /^verification_failed: root metadata version 1 lacks 2/
    ]
  ]
  for (const [name, draft, expected] of cases) {
    await refused(name, expected, draft, 'whatever')
    t.match(await refusalText(() => signDraft(draft, c)), expected, `${name}: to be signed`)
    t.match(
      await refusalText(() => describeDraft(draft, repository)),
      expected,
      `${name}: to be described`
    )
  }
  const strangers = `forbidden: key ${tufKeyId(stranger.publicKey)} is not one of role root in root version 1 or 2`
  t.equal(await refusalText(() => signDraft(unsigned, stranger)), strangers)
  t.match(await refusalText(() => signDraft(good, a)), /^already_exists: key .* has signed/)

  t.test('when keys to sign the rest are missing', async (t) => {
    for (const role of ['snapshot', 'timestamp', 'targets'] as const) {
      const draft = await signAll(
        draftRoot(repository, { roles: { [role]: keysOf(next) } }, TIME),
        [a, b]
      )
      t.match(await refusalText(() => accept(draft)), /^conflict: /, role)
    }
    t.same(
      encodeRepository(repository),
      encodeRepository(readRepository(encodeRepository(repository)))
    )
  })
})

t.test('what cannot be drafted', async (t) => {
  const { repository, signers } = await newRepository()
  const roles = rolesOf(signers)
  const { timestamp: _, ...three } = roles
  const zero = { ...roles.root, threshold: 0 }
  t.match(
    await refusalText(() => draftRoot(undefined, { roles: three }, TIME)),
    /^invalid_request: the first root needs keys of role timestamp/
  )
  t.match(
    await refusalText(() => draftRoot(undefined, {}, TIME)),
    /^invalid_request: the first root needs keys of role root/
  )
  t.match(
    await refusalText(() => draftRoot(repository, { roles: { root: zero } }, TIME)),
    /^invalid_request: threshold of role root/
  )
  t.match(
    await refusalText(() => draftTargets(undefined, FILES, TIME)),
    /^invalid_request: first targets need/
  )
  t.match(
    await refusalText(() =>
      draftTargets(repository, FILES, { ...TIME, rootDraft: draftTargets(repository, FILES, TIME) })
    ),
    /^invalid_request: the draft given as root/
  )
})

t.test('described for people', async (t) => {
  const { repository, signers } = await newRepository()
  const next = await newSigners(1)
  const id = ({ publicKey }: Signer): string => tufKeyId(publicKey)
  const [a, b, c] = signers.root.map(id)
  const [x] = next.map(id)
  const [kept] = signers.root
  if (kept === undefined) throw new Error('no signer')
  const unsigned = draftRoot(repository, { roles: { root: keysOf([kept, ...next], 1) } }, TIME)
  const described = describeDraft(await signAll(unsigned, next), repository)
  t.match(described, {
    role: 'root',
    version: 2,
    expiresSeconds: NOW + 730 * DAY,
    missing: [
      { rootVersion: 1, signatures: 2 },
      { rootVersion: 2, signatures: 0 }
    ],
    files: []
  })
  t.same(described.keys, [
    { keyId: a, rootVersions: [1, 2], hasSigned: false },
    { keyId: b, rootVersions: [1], hasSigned: false },
    { keyId: c, rootVersions: [1], hasSigned: false },
    { keyId: x, rootVersions: [2], hasSigned: true }
  ])
  t.same(described.roles[0], {
    role: 'root',
    addedKeyIds: [x],
    removedKeyIds: [b, c],
    keptKeyIds: [a],
    thresholdBefore: 2,
    threshold: 1
  })
  t.same(
    described.roles.slice(1).map(({ addedKeyIds, removedKeyIds }) => [addedKeyIds, removedKeyIds]),
    [
      [[], []],
      [[], []],
      [[], []]
    ]
  )
  const first = describeDraft(draftRoot(undefined, { roles: rolesOf(signers) }, TIME), undefined)
  t.match(first, { version: 1, missing: [{ rootVersion: 1, signatures: 1 }] })
  t.same(first.roles[0]?.addedKeyIds, [a, b, c])
  t.equal(first.roles[0]?.thresholdBefore, 0)
  const stale = describeDraft.bind(
    undefined,
    draftRoot(undefined, { roles: rolesOf(signers) }, TIME)
  )
  t.match(
    await refusalText(() => stale(repository)),
    /^conflict: the draft is of root version 1, and 2 is next/
  )
  const other = await newRepository()
  t.match(
    await refusalText(() => describeDraft(unsigned, other.repository)),
    /^conflict: .* another root/
  )
})

t.test('targets signed elsewhere', async (t) => {
  const { repository, signers } = await newRepository()
  const here = { ...signers, targets: [], root: [] }
  const files = [textTarget('trusted_root.json', 'new'), textTarget('added.pem', 'x')]
  const draft = await signAll(draftTargets(repository, files, TIME), signers.targets.slice(0, 1))
  t.same(
    describeDraft(draft, repository).files.map(({ name, length, change }) => [
      name,
      length,
      change
    ]),
    [
      ['added.pem', 1, 'added'],
      ['trusted_root.json', 3, 'changed'],
      ['rekor.pub', 27, 'removed']
    ]
  )
  t.same(
    describeDraft(draft, undefined).files.map(({ change }) => change),
    ['unknown', 'unknown']
  )
  t.same(
    describeDraft(draftTargets(repository, FILES, TIME), repository).files.map(
      ({ change }) => change
    ),
    ['unchanged', 'unchanged']
  )
  const accept = (
    text: string,
    targets = files,
    nowSeconds = NOW,
    on = repository
  ): Promise<TufRepository> =>
    acceptTargets(on, text, { ...TIME, nowSeconds, signers: here, targets })
  const accepted = await accept(draft)
  t.same(versionsOf(accepted), [1, 2, 2, 2])
  t.same(readRepository(encodeRepository(accepted)), accepted)
  const mirror = await startMirror(accepted)
  t.teardown(() => mirror.close())
  const client = newClient(t.testdir(), mirror, repository.roots[0] ?? '')
  t.same(await client.fetch('trusted_root.json', 'added.pem'), ['new', 'x'])

  const late = NOW + LIFETIMES.targets.seconds
  const unsigned = draftTargets(repository, files, TIME)
  const root = draftRoot(repository, {}, TIME)
  const cases: readonly (readonly [string, RegExp, ...Parameters<typeof accept>])[] = [
    [
      'other content',
      /^conflict: .* other files/,
      draft,
      [textTarget('trusted_root.json', 'neW'), textTarget('added.pem', 'x')]
    ],
    ['a file less', /^conflict: .* other files/, draft, files.slice(1)],
    ['a file more', /^conflict: .* other files/, draft, [...files, textTarget('more', 'x')]],
    [
      'custom',
      /^conflict: .* other files/,
      draft,
      [textTarget('trusted_root.json', 'new', { a: 1 }), textTarget('added.pem', 'x')]
    ],
    ['expired', /^verification_failed: the draft of targets expired/, draft, files, late],
    [
      'rolled back',
      /^conflict: the draft is of targets version 2, and 3 is next/,
      draft,
      files,
      NOW,
      accepted
    ],
    ['unsigned', /^verification_failed: targets .* lacks 1 of the 1/, unsigned],
    ['a root', /^invalid_request: not a draft of targets/, root],
    [
      'threshold',
      /^invalid_request: root: threshold/,
      tamper(draft, (d) => {
        const role = d.trustedRoot?.signed.roles.targets
        if (role) role.threshold = 9
      })
    ],
    [
      'delegations',
      /^(unsupported|invalid_request)/,
      tamper(draft, (d) => {
        d.metadata.signed.delegations = { keys: {}, roles: [] }
      })
    ],
    [
      'no root',
      /^invalid_request: not a draft of root or targets/,
      tamper(draft, (d) => {
        delete d.trustedRoot
      })
    ]
  ]
  for (const [name, expected, ...args] of cases) {
    t.match(await refusalText(() => accept(...args)), expected, name)
  }
  t.match(
    await refusalText(() => describeDraft(draft, accepted)),
    /^conflict: the draft is of targets version 2, and 3/
  )
  const [rootSigner] = signers.root
  if (rootSigner === undefined) throw new Error('no signer')
  t.match(
    await refusalText(() => signDraft(draft, rootSigner)),
    /^forbidden: key .* is not one of role targets in root version 1$/
  )
  const forged = tamper(draft, (d) => {
    d.trustedRoot?.signatures.pop()
  })
  t.same(
    versionsOf(await accept(forged)),
    [1, 2, 2, 2],
    'the root in the draft is for the signer only'
  )
})
