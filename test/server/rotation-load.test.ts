import t from 'tap'
import type { RotatedPart } from '../../src/site/administration.js'
import { artifactKey, initLog, startTestServer, testConfig, upload } from '../helpers/cli.js'
import {
  administrationOf,
  type Bundle,
  newVerifier,
  readEntry,
  readThroughTuf,
  signWith,
  startIssuer
} from '../helpers/whole-server.js'

const issuer = await startIssuer(t)
const config = testConfig(await initLog(t), { 'ca-issuers-file': issuer.issuersFile })
const server = await startTestServer(t, config)
const { publicUrl: url } = server
const administration = await administrationOf(config)
const key = artifactKey()

/** What was signed and logged so far. */
const bundles: Bundle[] = []
const entries: string[] = []

interface TrustedRoot {
  readonly tlogs: readonly unknown[]
  readonly ctlogs: readonly unknown[]
  readonly certificateAuthorities: readonly unknown[]
  readonly timestampAuthorities: readonly unknown[]
}

/** Keeps the server busy in every way until told to stop. @returns how to stop, giving how often each was done */
function beBusy(): () => Promise<Readonly<Record<string, number>>> {
  let isOver = false
  let texts = 0
  const done: Record<string, number> = {}
  const repeat = async (name: string, action: () => Promise<unknown>): Promise<void> => {
    while (!isOver) {
      await action()
      done[name] = (done[name] ?? 0) + 1
    }
  }
  const log = async () => {
    entries.push(await upload(url, `text ${entries.length} ${texts++} ${Math.random()}`, key))
  }
  const sign = async () => bundles.push(await signWith(url, issuer))
  const read = () => readThroughTuf(url, 'trusted_root.json')
  const work = [
    ...Array.from({ length: 4 }, () => repeat('log', log)),
    ...Array.from({ length: 3 }, () => repeat('sign', sign)),
    repeat('read', read),
    repeat('search', async () => {
      const [id] = entries
      if (id !== undefined) await readEntry(url, `/${id}`)
      await new Promise((resolve) => setImmediate(resolve))
    })
  ]
  const all = Promise.all(work)
  all.catch(() => (isOver = true)) // the test sees it when it stops
  return async () => {
    isOver = true
    await all
    return done
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

t.test('every part is rotated while all of them are asked: no request fails', async (t) => {
  const parts: readonly RotatedPart[] = ['log', 'ct', 'ca', 'tsa', 'log', 'ct', 'ca', 'tsa']
  const before = await administration.status()
  const stop = beBusy()
  await pause(200)
  const sizes: number[] = []
  for (const what of parts) {
    const report = await administration.rotate({ what, dryRun: false })
    t.equal(report.outcome, 'done', what)
    t.not(report.keyFile, report.keyFileBefore)
    t.strictSame(
      report.changes.map(({ kind, change }) => `${kind} ${change}`).sort(),
      [`${what === 'log' ? 'rekor' : what} added`, `${what === 'log' ? 'rekor' : what} ended`],
      `${what}: one begins, one ends, and nothing else`
    )
    if (what === 'log') {
      const { closed, opened } = report
      if (closed === undefined || opened === undefined) throw new Error('no trees')
      t.equal(
        closed.offset,
        sizes.reduce((a, b) => a + b, 0)
      )
      sizes.push(closed.treeSize)
      const [id] = await readEntry(url, `?logIndex=${closed.offset + closed.treeSize}`)
      t.equal(BigInt(`0x${id.slice(0, 16)}`).toString(), opened.treeId, 'the new tree goes on')
      const [last] = await readEntry(url, `?logIndex=${closed.offset + closed.treeSize - 1}`)
      t.equal(BigInt(`0x${last.slice(0, 16)}`).toString(), closed.treeId)
    }
    await pause(150)
  }
  const done = await stop()
  for (const name of ['log', 'sign', 'read', 'search']) {
    t.ok((done[name] ?? 0) > parts.length, `${name}: ${done[name]} times, without a failure`)
  }
  const body = (await (await fetch(`${url}/api/v1/log`)).json()) as LogInfo
  t.strictSame(
    body.inactiveShards.map(({ treeSize }) => treeSize).sort(),
    [...sizes].sort(),
    'the closed trees are as they were reported'
  )
  t.equal(body.inactiveShards.length, 2)
  t.notOk(body.inactiveShards.some(({ treeID }) => treeID === body.treeID))
  const after = await administration.status()
  t.not(after.trees[0]?.treeId, before.trees[0]?.treeId)
  t.equal(after.isPending, false)
  t.equal(after.staged, undefined)
  t.notOk(
    server.log.some(({ level }) => Number(level) >= 50),
    'the server has nothing to complain of'
  )
})

interface LogInfo {
  readonly treeID: string
  readonly treeSize: number
  readonly inactiveShards: readonly { readonly treeID: string; readonly treeSize: number }[]
}

t.test('what was logged before, meanwhile and after stays readable under its names', async (t) => {
  const seen = new Set<number>()
  for (const id of entries) {
    const [byId, { logIndex }] = await readEntry(url, `/${id}`)
    const [byHash] = await readEntry(url, `/${id.slice(16)}`)
    const [byIndex] = await readEntry(url, `?logIndex=${logIndex}`)
    if (byId !== id || byHash !== id || byIndex !== id) t.fail(`${id} at ${logIndex}`)
    seen.add(logIndex)
  }
  t.ok(entries.length > 20)
  t.equal(seen.size, entries.length, 'each at an index of its own')
})

t.test('everything that was signed verifies with what is published now', async (t) => {
  const root = JSON.parse(
    (await readThroughTuf(url, 'trusted_root.json')).toString()
  ) as TrustedRoot
  for (const list of [
    'tlogs',
    'ctlogs',
    'certificateAuthorities',
    'timestampAuthorities'
  ] as const) {
    t.equal(root[list].length, 3, list)
  }
  bundles.push(await signWith(url, issuer))
  const verify = await newVerifier(t, url, issuer)
  for (const bundle of bundles) await verify(bundle)
  t.ok(bundles.length > 8, `${bundles.length} bundles`)
})

t.test('and after a restart at the same address', async (t) => {
  const { port } = new URL(url)
  const [oldest] = bundles
  if (oldest === undefined) throw new Error('nothing was signed')
  await server.close()
  const again = await startTestServer(
    t,
    testConfig(config.dataDir, {
      'ca-issuers-file': issuer.issuersFile,
      listen: `127.0.0.1:${port}`
    })
  )
  t.equal(again.publicUrl, url)
  const verify = await newVerifier(t, url, issuer)
  await verify(oldest)
  await verify(await signWith(url, issuer))
  const status = await (await administrationOf(config)).status()
  t.equal(status.isPending, false)
})
