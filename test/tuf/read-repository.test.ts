import { createHash } from 'node:crypto'
import t from 'tap'
import type { MetadataText, TufRepository } from '../../src/tuf/contract.js'
import { createRepository } from '../../src/tuf/create-repository.js'
import { describeDraft } from '../../src/tuf/describe-draft.js'
import { signDraft } from '../../src/tuf/draft.js'
import { publishTargets } from '../../src/tuf/publish.js'
import { encodeRepository, readRepository } from '../../src/tuf/read-repository.js'
import { acceptRoot, draftRoot } from '../../src/tuf/root-draft.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import {
  DAY,
  FILES,
  keysOf,
  LIFETIMES,
  newRepository,
  newSigners,
  NOW,
  rolesOf,
  textTarget
} from '../helpers/tuf.js'

/** Two roots, two targets and snapshots under either, with custom members. */
async function seasonedRepository(): Promise<TufRepository> {
  const { repository, signers } = await newRepository()
  const context = { signers, lifetimes: LIFETIMES, nowSeconds: NOW }
  const changed = [textTarget('trusted_root.json', 'new'), ...FILES.slice(1)]
  const second = await publishTargets(repository, { targets: changed, ...context })
  const targets = await newSigners(1)
  let draft = draftRoot(second, { roles: { targets: keysOf(targets) } }, context)
  for (const signer of signers.root.slice(0, 2)) draft = await signDraft(draft, signer)
  const { sha256 } = describeDraft(draft, second)
  return acceptRoot(second, draft, sha256, { ...context, signers: { ...signers, targets } })
}

/** Every string and number in a JSON value, as a path of members. */
function leaves(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, member]) => leaves(member, [...path, name]))
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((found, name) => (found as Record<string, unknown>)[name], value)
}

/** A copy with the value at `path` changed. */
function withLeaf(
  value: unknown,
  path: readonly string[],
  change: (leaf: unknown) => unknown
): unknown {
  const [name, ...rest] = path
  if (name === undefined) return change(value)
  const copy = (
    Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
  ) as Record<string, unknown>
  copy[name] = withLeaf(copy[name], rest, change)
  return copy
}

/** Other values in place of a string, number or boolean. */
function variants(leaf: unknown): readonly unknown[] {
  if (typeof leaf === 'number') return [leaf + 1, leaf - 1, leaf + 0.5, 0, String(leaf)]
  if (typeof leaf === 'boolean') return [!leaf, 1]
  if (typeof leaf !== 'string') return [0]
  const at = Math.floor(leaf.length / 2)
  const flipped =
    leaf.slice(0, at) + String.fromCharCode(leaf.charCodeAt(at) ^ 1) + leaf.slice(at + 1)
  const all = [flipped, leaf.slice(1), `${leaf}0`]
  const more = [leaf.toUpperCase(), leaf.toLowerCase(), '', null]
  return [...all, ...more].filter((variant) => variant !== leaf)
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

interface Metadata {
  signatures: { keyid: string; sig: string }[]
  signed: Record<string, unknown>
}

t.test('every string and number, changed, is refused', async (t) => {
  const repository = await seasonedRepository()
  const bytes = encodeRepository(repository)
  t.same(readRepository(bytes), repository)
  const stored = JSON.parse(new TextDecoder().decode(bytes)) as unknown
  let tried = 0
  const accepted: string[] = []
  const attempt = async (what: string, changed: unknown): Promise<void> => {
    tried++
    if (await unlessRefused(() => readRepository(encode(changed)))) accepted.push(what)
  }
  for (const path of leaves(stored)) {
    const leaf = valueAt(stored, path)
    for (const variant of variants(leaf)) {
      await attempt(
        path.join('.'),
        withLeaf(stored, path, () => variant)
      )
    }
    if (typeof leaf !== 'string' || !leaf.startsWith('{')) continue
    // What is in the metadata, one level deeper.
    const metadata = JSON.parse(leaf) as unknown
    for (const inner of leaves(metadata)) {
      for (const variant of variants(valueAt(metadata, inner))) {
        const changed = withLeaf(metadata, inner, () => variant)
        const spelled = `${JSON.stringify(changed, undefined, 1)}\n`
        const what = [...path, ...inner, JSON.stringify(variant)].join('.')
        await attempt(
          what,
          withLeaf(stored, path, () => spelled)
        )
      }
    }
  }
  t.same(accepted, [])
  t.ok(tried > 1000, `${tried} tried`)
})

t.test('bits flipped, bytes lost', async (t) => {
  const bytes = encodeRepository(await seasonedRepository())
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (let i = 0; i < 500; i++) {
    const mutated = mutate(bytes, random)
    const read = await unlessRefused(() => readRepository(mutated))
    if (read !== undefined) t.same(mutated, bytes, 'a change that changed nothing')
  }
  for (const length of [0, 1, bytes.length - 1]) {
    t.match(
      await refusalText(() => readRepository(bytes.slice(0, length))),
      /^integrity: what is kept of the TUF/
    )
  }
})

t.test('parts that are good, put together wrongly', async (t) => {
  const repository = await seasonedRepository()
  const { roots, targets, snapshots, timestamp, files } = repository
  const other = await seasonedRepository()
  const [file] = [...files.values()]
  const without = new Map([...files].slice(1))
  const swapped = new Map(
    [...files.keys()].map((name, i) => [name, [...files.values()].reverse()[i] ?? new Uint8Array()])
  )
  const cases: readonly (readonly [string, Partial<TufRepository>, RegExp])[] = [
    ['no root', { roots: [] }, /no root/],
    ['a root less in front', { roots: roots.slice(1) }, /root version 2 where 1 is next/],
    [
      'rolled back root',
      { roots: roots.slice(0, 1) },
      /targets metadata version 3: the signature of/
    ],
    ['roots swapped', { roots: roots.toReversed() }, /root version 2 where 1 is next/],
    ['a root twice', { roots: [...roots, roots[1] ?? ''] }, /root version 2 where 3 is next/],
    [
      'another root',
      { roots: [roots[0] ?? '', other.roots[1] ?? ''] },
      /root metadata version 2 (lacks|: the signature of)/
    ],
    ['targets for a root', { roots: [targets[0]?.text ?? ''] }, /expected 'root'/],
    ['no targets', { targets: [] }, /no targets/],
    [
      'rolled back targets',
      { targets: targets.slice(1) },
      /targets metadata version 2 lacks 1|names other targets/
    ],
    ['targets swapped', { targets: targets.toReversed() }, /lacks 1|out of order/],
    ['a gap', { targets: [targets[0], targets[2]] as MetadataText[] }, /out of order/],
    [
      'old targets lost',
      { targets: targets.slice(0, 1) },
      /snapshot version 2 names other targets/
    ],
    ['other targets', { targets: other.targets }, /signature of/],
    ['too many', { targets: [...targets, ...targets] }, /too many targets/],
    ['rolled back snapshot', { snapshots: snapshots.slice(1) }, /does not name the newest/],
    ['no snapshots', { snapshots: [] }, /no snapshot/],
    ['snapshot for targets', { targets: snapshots }, /expected 'targets'/],
    ['other snapshots', { snapshots: other.snapshots }, /signature of/],
    ['other timestamp', { timestamp: other.timestamp }, /signature of/],
    ['version of timestamp', { timestamp: { ...timestamp, version: 9 } }, /out of order/],
    ['a file less', { files: without }, /is missing/],
    [
      'a file more',
      { files: new Map([...files, ['x', file ?? new Uint8Array()]]) },
      /no metadata names the file x/
    ],
    [
      'traversal',
      { files: new Map([...files, ['../x', new Uint8Array()]]) },
      /no metadata names the file/
    ],
    ['files swapped', { files: swapped }, /is not what targets metadata says/]
  ]
  for (const [name, change, expected] of cases) {
    const text = await refusalText(() =>
      readRepository(encodeRepository({ ...repository, ...change }))
    )
    t.match(text, /^integrity: what is kept of the TUF repository is damaged: /, name)
    t.match(text, expected, name)
  }
})

t.test('metadata that is signed and yet not ours', async (t) => {
  // The keys are the attacker's, or ours used by another program: everything is signed, only the content is wrong.
  const [signer] = await newSigners(1)
  if (signer === undefined) throw new Error('no signer')
  const signers = { root: [signer], targets: [signer], snapshot: [signer], timestamp: [signer] }
  const options = {
    roles: rolesOf(signers),
    signers,
    targets: FILES,
    lifetimes: LIFETIMES,
    nowSeconds: NOW
  }
  const repository = await createRepository(options)

  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.keys(value)
        .sort()
        .map((name) => [name, sorted((value as Record<string, unknown>)[name])])
    )
  }
  // Our own canonical form: PEM keys have line breaks, which stand as they are.
  const canonical = (value: unknown): string =>
    JSON.stringify(sorted(value)).replaceAll('\\n', '\n')
  const resign = async (
    text: string,
    change: (signed: Record<string, unknown>) => void
  ): Promise<MetadataText> => {
    const metadata = JSON.parse(text) as Metadata
    change(metadata.signed)
    const signature = await signer.sign(new TextEncoder().encode(canonical(metadata.signed)))
    const [first] = metadata.signatures
    if (first === undefined) throw new Error('not signed')
    const signatures = [{ keyid: first.keyid, sig: Buffer.from(signature).toString('hex') }]
    return {
      version: metadata.signed.version as number,
      text: `${JSON.stringify(sorted({ signatures, signed: metadata.signed }), undefined, 1)}\n`
    }
  }
  const fileOf = ({ version, text }: MetadataText): unknown => ({
    hashes: { sha256: createHash('sha256').update(text).digest('hex') },
    length: Buffer.byteLength(text),
    version
  })
  type Change = (signed: Record<string, unknown>) => void
  const rebuilt = async (
    changes: Partial<Record<'root' | 'targets' | 'snapshot' | 'timestamp', Change>>
  ): Promise<TufRepository> => {
    const nothing: Change = () => undefined
    const root = await resign(repository.roots[0] ?? '', changes.root ?? nothing)
    const targets = await resign(repository.targets[0]?.text ?? '', changes.targets ?? nothing)
    const snapshot = await resign(repository.snapshots[0]?.text ?? '', (signed) => {
      signed.meta = { 'targets.json': fileOf(targets) }
      changes.snapshot?.(signed)
    })
    const timestamp = await resign(repository.timestamp.text, (signed) => {
      signed.meta = { 'snapshot.json': fileOf(snapshot) }
      changes.timestamp?.(signed)
    })
    return {
      ...repository,
      roots: [root.text],
      targets: [targets],
      snapshots: [snapshot],
      timestamp
    }
  }
  const honest = await rebuilt({})
  t.same(readRepository(encodeRepository(honest)), honest, 'this way of signing is understood')

  const target = (change: (files: Record<string, Record<string, unknown>>) => void) => ({
    targets: (signed: Record<string, unknown>) =>
      change(signed.targets as Record<string, Record<string, unknown>>)
  })
  const role = (
    change: (roles: Record<string, { threshold: unknown; keyids: string[] }>) => void
  ) => ({
    root: (signed: Record<string, unknown>) =>
      change(signed.roles as Record<string, { threshold: unknown; keyids: string[] }>)
  })
  const rename = (to: string) =>
    target((files) => {
      files[to] = files['rekor.pub'] ?? {}
      delete files['rekor.pub']
    })
  const meta = (change: (file: Record<string, unknown>, all: Record<string, unknown>) => void) => ({
    snapshot: (signed: Record<string, unknown>) => {
      const all = signed.meta as Record<string, Record<string, unknown>>
      change(all['targets.json'] ?? {}, all)
    }
  })
  const cases: readonly (readonly [string, Parameters<typeof rebuilt>[0], RegExp])[] = [
    [
      'threshold 0',
      role((roles) => {
        if (roles.timestamp) roles.timestamp.threshold = 0
      }),
      /threshold must be at least 1/
    ],
    [
      'threshold -1',
      role((roles) => {
        if (roles.root) roles.root.threshold = -1
      }),
      /threshold must be at least 1/
    ],
    [
      'threshold 2',
      role((roles) => {
        if (roles.targets) roles.targets.threshold = 2
      }),
      /threshold 2 of role targets with 1 keys/
    ],
    [
      'threshold as text',
      role((roles) => {
        if (roles.targets) roles.targets.threshold = '1'
      }),
      /threshold must be/
    ],
    [
      'no keys',
      role((roles) => {
        if (roles.targets) roles.targets.keyids = []
      }),
      /threshold 1 of role targets with 0 keys/
    ],
    ['parent folder', rename('../rekor.pub'), /not a name for a TUF target/],
    ['absolute', rename('/etc/passwd'), /not a name for a TUF target/],
    ['folder', rename('a/b'), /not a name for a TUF target/],
    ['nul', rename('a\u0001'), /not a name for a TUF target/],
    ['empty', rename(''), /not a name for a TUF target/],
    [
      'too short',
      target((files) => {
        const f = files['rekor.pub']
        if (f) f.length = 1
      }),
      /is not what targets metadata says/
    ],
    [
      'negative',
      target((files) => {
        const f = files['rekor.pub']
        if (f) f.length = -1
      }),
      /Length must be at least 0/
    ],
    [
      'other hash',
      target((files) => {
        const f = files['rekor.pub']
        if (f) f.hashes = { sha256: '0'.repeat(64) }
      }),
      /is missing/
    ],
    [
      'hash in capitals',
      target((files) => {
        const f = files['rekor.pub']
        if (f) f.hashes = { sha256: 'A'.repeat(64) }
      }),
      /rekor.pub: sha256/
    ],
    [
      'no hash',
      target((files) => {
        const f = files['rekor.pub']
        if (f) f.hashes = {}
      }),
      /rekor.pub: sha256/
    ],
    [
      'two hashes',
      target((files) => {
        const f = files['rekor.pub']
        if (f) f.hashes = { ...(f.hashes as object), sha512: '00' }
      }),
      /unknown member "sha512"/
    ],
    [
      'more of a target',
      target((files) => {
        const f = files['rekor.pub']
        if (f) f.path = '/x'
      }),
      /unknown member "path"/
    ],
    [
      'custom is text',
      target((files) => {
        const f = files['rekor.pub']
        if (f) f.custom = 'x'
      }),
      /custom of rekor.pub/
    ],
    [
      'custom is a list',
      target((files) => {
        const f = files['rekor.pub']
        if (f) f.custom = []
      }),
      /custom of rekor.pub/
    ],
    [
      'delegations',
      {
        targets: (signed) => {
          signed.delegations = { keys: {}, roles: [] }
        }
      },
      /delegations/
    ],
    [
      'more of targets',
      {
        targets: (signed) => {
          signed.more = 1
        }
      },
      /unknown member "more"/
    ],
    [
      'version 0',
      {
        targets: (signed) => {
          signed.version = 0
        }
      },
      /version/
    ],
    [
      'expires in milliseconds',
      {
        targets: (signed) => {
          signed.expires = '2030-01-01T00:00:00.000Z'
        }
      },
      /not a time in whole seconds/
    ],
    [
      'expires elsewhere',
      {
        targets: (signed) => {
          signed.expires = '2030-01-01T00:00:00+01:00'
        }
      },
      /not a time in whole seconds/
    ],
    [
      'expires never',
      {
        timestamp: (signed) => {
          signed.expires = 'never'
        }
      },
      /not a time in whole seconds/
    ],
    [
      'version 2 of the format',
      {
        timestamp: (signed) => {
          signed.spec_version = '2.0.0'
        }
      },
      /Unsupported specVersion/
    ],
    [
      'no meta',
      {
        snapshot: (signed) => {
          delete signed.meta
        }
      },
      /./
    ],
    [
      'targets version',
      meta((file) => {
        file.version = 2
      }),
      /names other targets/
    ],
    [
      'targets length',
      meta((file) => {
        file.length = 2
      }),
      /names other targets/
    ],
    [
      'targets hash',
      meta((file) => {
        file.hashes = { sha256: '0'.repeat(64) }
      }),
      /names other targets/
    ],
    [
      'no targets hash',
      meta((file) => {
        delete file.hashes
      }),
      /targets.json: sha256/
    ],
    [
      'no targets length',
      meta((file) => {
        delete file.length
      }),
      /targets.json: length/
    ],
    [
      'more metadata',
      meta((file, all) => {
        all['other.json'] = file
      }),
      /unknown member "other.json"/
    ],
    [
      'no targets',
      meta((_file, all) => {
        delete all['targets.json']
      }),
      /no targets.json/
    ],
    [
      'more in timestamp',
      {
        timestamp: (signed) => {
          signed.meta = { ...(signed.meta as object), 'x.json': { version: 1 } }
        }
      },
      /not written as it is here/
    ],
    [
      'timestamp of another snapshot',
      {
        timestamp: (signed) => {
          signed.meta = {
            'snapshot.json': { hashes: { sha256: '0'.repeat(64) }, length: 1, version: 1 }
          }
        }
      },
      /does not name the newest snapshot/
    ]
  ]
  for (const [name, changes, expected] of cases) {
    const changed = await rebuilt(changes)
    t.match(await refusalText(() => readRepository(encodeRepository(changed))), expected, name)
  }

  const many: Record<string, unknown> = {}
  for (let i = 0; i < 20_000; i++) many[`f${i}`] = { hashes: { sha256: '0'.repeat(64) }, length: 0 }
  const large = await rebuilt({
    targets: (signed) => {
      signed.targets = many
    }
  })
  t.match(
    await refusalText(() => readRepository(encodeRepository(large))),
    /20000 TUF targets: there may be 1000/
  )
  const huge = await rebuilt({
    timestamp: (signed) => {
      signed.expires = 'x'.repeat(20_000)
    }
  })
  t.match(
    await refusalText(() => readRepository(encodeRepository(huge))),
    /timestamp metadata of .* clients read 16384/
  )
})

t.test('what has expired is read', async (t) => {
  const { repository } = await newRepository(FILES, NOW - 5000 * DAY)
  t.same(readRepository(encodeRepository(repository)), repository)
})
