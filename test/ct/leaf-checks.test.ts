import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createCtLeafChecks } from '../../src/ct/leaf-checks.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { isLogError } from '../../src/errors.js'
import type { CheckedThing } from '../../src/log/check-error.js'
import { type CheckReport, checkLog } from '../../src/log/check-log.js'
import { createRekorLeafChecks } from '../../src/rekor/leaf-checks.js'
import { sha256 } from '../../src/store/sha256.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import { createTestAuthority, openTestCt } from '../helpers/ct-log.js'
import { execute, flip, leafId } from '../helpers/damage.js'
import { type Teardown, tempFolder } from '../helpers/test-log.js'

const authority = await createTestAuthority()
const stranger = await createTestAuthority()

/** Two precertificates and two certificates of one authority, then a precertificate of another. */
async function createCtLog(t: Teardown): Promise<string> {
  const log = await openTestCt(t, { roots: () => [authority.root.der, stranger.root.der] })
  for (const kind of ['precertificate', 'certificate'] as const) {
    for (let i = 0; i < 2; i++) {
      await log.ct.submit(kind, [await authority.issue(kind), ...authority.chain])
    }
  }
  const theirs = await stranger.issue('precertificate')
  await log.ct.submit('precertificate', [theirs, ...stranger.chain])
  await log.close()
  return log.folder
}

async function check(folder: string): Promise<CheckReport> {
  const database = await openDatabase({ path: join(folder, 'log.sqlite'), mode: 'read' })
  try {
    return await checkLog({
      database,
      checks: { rekor: createRekorLeafChecks(), ct: createCtLeafChecks() }
    })
  } finally {
    await database.close()
  }
}

interface Damage {
  readonly name: string
  /** One of these is named: where two things contradict each other, either may be the one that was changed. */
  readonly what: readonly CheckedThing[]
  readonly index?: number
  damage(folder: string): void
}

const DAMAGES: readonly Damage[] = [
  ...[0, 100, 300, -1].map((offset) => ({
    name: `byte ${offset} of a submitted precertificate`,
    what: ['extraData', 'submission'] as const,
    index: 1,
    damage: (folder: string) =>
      flip(folder, 'extra_data', 'value', `leaf_id = ${leafId(1)}`, offset)
  })),
  {
    name: 'a missing precertificate',
    what: ['extraData'],
    index: 0,
    damage: (folder) => execute(folder, `delete from extra_data where leaf_id = ${leafId(0)}`)
  },
  {
    name: 'a precertificate that moved to another entry',
    what: ['extraData'],
    index: 1,
    damage: (folder) =>
      execute(folder, `update extra_data set leaf_id = ${leafId(3)} where leaf_id = ${leafId(1)}`)
  },
  {
    name: 'a precertificate with a certificate',
    what: ['extraData'],
    index: 2,
    damage: (folder) => execute(folder, `insert into extra_data values (${leafId(2)}, zeroblob(0))`)
  },
  ...[0, 31].map((offset) => ({
    name: `byte ${offset} of the hash of a submission`,
    what: ['submission'] as const,
    index: 2,
    damage: (folder: string) =>
      flip(folder, 'submission', 'submission_hash', `leaf_id = ${leafId(2)}`, offset)
  })),
  {
    name: 'a submission that leads to another entry',
    what: ['submission'],
    index: 1,
    damage: (folder) =>
      execute(folder, `update submission set leaf_id = ${leafId(0)} where leaf_id = ${leafId(1)}`)
  },
  {
    name: 'a submission of another tree',
    what: ['submission', 'storage'],
    damage: (folder) =>
      execute(folder, `update submission set tree_key = 2 where leaf_id = ${leafId(1)}`)
  },
  {
    name: 'a missing submission',
    what: ['submission'],
    index: 3,
    damage: (folder) => execute(folder, `delete from submission where leaf_id = ${leafId(3)}`)
  },
  {
    name: 'the hash of a submission that was changed so that its pieces come to the same',
    what: ['submission'],
    index: 3,
    damage: (folder) => {
      flip(folder, 'submission', 'submission_hash', `leaf_id = ${leafId(3)}`, 5)
      flip(folder, 'submission', 'submission_hash', `leaf_id = ${leafId(3)}`, 13)
    }
  },
  ...['randomblob(32)', 'zeroblob(32)'].map((hash) => ({
    name: `a submission that was added: ${hash}`,
    what: ['submission'] as const,
    index: 2,
    damage: (folder: string) =>
      execute(folder, `insert into submission values (${hash}, ${leafId(2)}, 1)`)
  })),
  ...[0, 2].map((index) => ({
    name: `no link to the chain: entry ${index}`,
    what: ['attestation'] as const,
    index,
    damage: (folder: string) =>
      execute(folder, `update leaf set attestation_id = null where leaf_id = ${leafId(index)}`)
  })),
  ...[0, 2].map((index) => ({
    name: `a link to the chain of another: entry ${index}`,
    what: ['attestation', 'extraData'] as const,
    index,
    damage: (folder: string) =>
      execute(
        folder,
        `update leaf set attestation_id =
           (select attestation_id from leaf where leaf_id = ${leafId(4)})
         where leaf_id = ${leafId(index)}`
      )
  })),
  {
    name: 'a link to a chain of nothing',
    what: ['extraData'],
    index: 2,
    damage: (folder) => {
      const value = new Uint8Array(3) // a certificate list of length 0
      const key = `sha256:${encodeHex(sha256(value))}`
      execute(folder, `insert into attestation values (9, '${key}', zeroblob(3))`)
      execute(folder, `update leaf set attestation_id = 9 where leaf_id = ${leafId(2)}`)
    }
  },
  {
    name: 'a link to nothing',
    what: ['attestation', 'storage'],
    damage: (folder) =>
      execute(folder, `update leaf set attestation_id = 77 where leaf_id = ${leafId(2)}`)
  },
  {
    name: 'a byte of a chain',
    what: ['attestation', 'extraData'],
    damage: (folder) => flip(folder, 'attestation', 'value', 'attestation_id = 1', -1)
  },
  {
    name: 'a timestamp',
    what: ['promise'],
    index: 4,
    damage: (folder) => flip(folder, 'inclusion_promise', 'promise', `leaf_id = ${leafId(4)}`, -1)
  },
  {
    name: 'a tree head',
    what: ['checkpoint'],
    index: 3,
    damage: (folder) => flip(folder, 'checkpoint', 'note', 'tree_size = 3', -5)
  }
]

for (const { name, what, index, damage } of DAMAGES) {
  t.test(`finds damage to a certificate log: ${name}`, async (t) => {
    const folder = await createCtLog(t)
    t.match(await check(folder), { submissions: 5, attestations: 2 })
    damage(folder)
    try {
      await check(folder)
      t.fail('passed a damaged log')
    } catch (err) {
      if (!isLogError(err, 'integrity')) throw err
      t.ok(what.includes(err.details['what'] as CheckedThing), `${err.message}`)
      if (index !== undefined) t.equal(err.details['index'], index, err.message)
    }
  })
}

t.test('an accepted root that was submitted by itself is whole without a chain', async (t) => {
  const folder = tempFolder(t)
  const file = (name: string) => join(folder, name)
  for (const [name, isCa] of [
    ['authority', 'TRUE'],
    ['pinned', 'FALSE']
  ] as const) {
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=${name}
       -addext basicConstraints=critical,CA:${isCa} -addext extendedKeyUsage=codeSigning
       -keyout ${file(`${name}.key`)} -outform DER -out ${file(`${name}.der`)}`.split(/\s+/),
      { stdio: 'ignore' }
    )
  }
  const roots = ['authority', 'pinned'].map((name) => readFileSync(file(`${name}.der`)))
  const log = await openTestCt(t, { roots: () => roots })
  for (const root of roots) await log.ct.submit('certificate', [root])
  t.match(await log.check(), { submissions: 2, attestations: 1 })
})
