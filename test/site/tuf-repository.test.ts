import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keyNameOf } from '../../src/config/key-files.js'
import { dataPaths } from '../../src/config/data-dir.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import { ensureTufRepository } from '../../src/site/ensure-tuf-repository.js'
import {
  assertOnlineKeys,
  loadRepository,
  readTufSigners,
  tufLifetimes
} from '../../src/site/tuf-repository.js'
import { TUF_ROLES } from '../../src/tuf/contract.js'
import { expiries } from '../../src/tuf/expiry.js'
import { readRoot } from '../../src/tuf/roles.js'
import { initLog, testConfig, type Teardown } from '../helpers/cli.js'
import { serverOptions } from '../helpers/server-options.js'
import { newSigner } from '../helpers/test-tsa.js'

const DAY = 86_400

function lifetimes(flags: Record<string, string>) {
  const all = tufLifetimes(testConfig('/nowhere', flags))
  return TUF_ROLES.map((role) => all[role].seconds / DAY)
}

async function openSite(t: Teardown, dataDir: string) {
  const paths = dataPaths(dataDir)
  const database = await openDatabase({ path: paths.database, mode: 'write' })
  t.teardown(() => database.close())
  return { config: testConfig(dataDir), paths, database, world: serverOptions() }
}

t.test('lifetimes are those of the profile, one by one otherwise', (t) => {
  t.strictSame(lifetimes({}), [730, 730, 30, 30])
  t.strictSame(lifetimes({ 'tuf-lifetimes': 'air-gap' }), [3650, 3650, 1825, 1825])
  t.strictSame(
    lifetimes({ 'tuf-lifetimes': 'air-gap', 'tuf-timestamp-days': '7', 'tuf-root-days': '100' }),
    [100, 3650, 1825, 7]
  )
  t.end()
})

t.test('a repository is made once, with keys of its own', async (t) => {
  const site = await openSite(t, await initLog(t, ['--tuf-enabled', 'false']))
  const { register } = site.database
  t.equal(await loadRepository(register), undefined)
  const made = await ensureTufRepository(site)
  t.match(made?.rootSha256, /^[0-9a-f]{64}$/)
  t.strictSame(Object.keys(made?.keyFiles ?? {}), [...TUF_ROLES])
  for (const file of Object.values(made?.keyFiles ?? {}))
    t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(await ensureTufRepository(site), undefined)
  const stored = await loadRepository(register)
  t.equal(stored?.repository.roots.length, 1)
  const { roles } = readRoot(stored?.repository.roots[0] ?? '')
  const signers = readTufSigners(site.paths, roles, undefined)
  t.strictSame(
    TUF_ROLES.map((role) => signers[role].map(({ publicKey }) => publicKey)),
    TUF_ROLES.map((role) => roles[role].publicKeys)
  )
  t.equal(new Set(TUF_ROLES.map((role) => String(roles[role].publicKeys))).size, 4)
})

t.test('keys from elsewhere do not come into the directory', async (t) => {
  const site = await openSite(t, await initLog(t, ['--tuf-enabled', 'false']))
  const signersOf = async () => [await newSigner(), await newSigner(), await newSigner()]
  const [root, targets] = [await signersOf(), await signersOf()]
  const made = await ensureTufRepository(site, {
    root: { signers: root, threshold: 2 },
    targets: { signers: targets, threshold: 3 }
  })
  t.strictSame(Object.keys(made?.keyFiles ?? {}), ['snapshot', 'timestamp'])
  const names = readdirSync(site.paths.keys).filter((name) => name.startsWith('tuf-'))
  t.strictSame(names.map((name) => name.split('-')[1]).sort(), ['snapshot', 'timestamp'])
  const stored = await loadRepository(site.database.register)
  const { roles } = readRoot(stored?.repository.roots[0] ?? '')
  t.strictSame(roles.root, { publicKeys: root.map(({ publicKey }) => publicKey), threshold: 2 })
  t.equal(roles.targets.threshold, 3)
  const signers = readTufSigners(site.paths, roles, undefined)
  t.strictSame([signers.root, signers.targets], [[], []])
  t.equal(expiries(stored?.repository as NonNullable<typeof stored>['repository']).length, 4)
})

t.test('a key that is missing is named', async (t) => {
  const site = await openSite(t, await initLog(t))
  const stored = await loadRepository(site.database.register)
  const { roles } = readRoot(stored?.repository.roots[0] ?? '')
  const elsewhere = { keys: join(site.paths.root, 'none') }
  t.notOk(existsSync(elsewhere.keys))
  t.throws(() => assertOnlineKeys(elsewhere, roles, readTufSigners(elsewhere, roles, undefined)), {
    code: 'conflict',
    message: /^the TUF snapshot key .*\/none\/tuf-snapshot-[0-9a-f]{16}\.pem is missing: restore it/
  })
  const { publicKey } = await newSigner()
  const two = {
    ...roles,
    timestamp: { publicKeys: [...roles.timestamp.publicKeys, publicKey], threshold: 2 }
  }
  t.throws(
    () => assertOnlineKeys(site.paths, two, readTufSigners(site.paths, two, undefined)),
    {
      message: `the TUF timestamp key ${join(site.paths.keys, keyNameOf('tuf-timestamp', publicKey))} is missing: restore it from your backup, or replace it with sigstead rotate tuf-timestamp`
    },
    'not the one that is there'
  )
})
