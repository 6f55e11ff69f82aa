import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t from 'tap'
import { createCheckPool } from '../../src/cli/check-pool.js'
import { createCtLeafChecks } from '../../src/ct/leaf-checks.js'
import { isLogError } from '../../src/errors.js'
import { checkLog } from '../../src/log/check-log.js'
import { createRekorLeafChecks } from '../../src/rekor/leaf-checks.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import { artifactKey, initLog, startTestServer, testConfig, upload } from '../helpers/cli.js'

const key = artifactKey()
const RANGE = 256

t.test('threads find what one thread finds, as of one moment', async (t) => {
  const dataDir = await initLog(t)
  const path = join(dataDir, 'sigstead.db')
  const server = await startTestServer(t, testConfig(dataDir))
  const uploads = async (count: number, name: string): Promise<void> => {
    await Promise.all(
      Array.from({ length: count }, (_, i) => upload(server.publicUrl, `${name} ${i}`, key))
    )
  }
  await uploads(RANGE + 20, 'text')

  const pool = createCheckPool({ path, threads: 2 })
  t.teardown(() => pool.close())
  const check = async (inThreads: boolean): Promise<unknown> => {
    const database = await openDatabase({ path, mode: 'read' })
    try {
      if (inThreads) t.ok(await pool.shareSnapshot(database), 'a moment is found')
      await uploadsMeanwhile()
      let lastLeaves = 0
      const report = await checkLog({
        database,
        checks: { rekor: createRekorLeafChecks(), ct: createCtLeafChecks() },
        rangeLeaves: RANGE,
        onProgress: ({ phase, done }) => {
          if (phase === 'leaves') lastLeaves = done
        },
        ...(inThreads ? { runner: pool.runner } : {})
      })
      return { report, lastLeaves }
    } catch (err) {
      if (!isLogError(err, 'integrity')) throw err
      return { message: err.message, details: err.details }
    } finally {
      await database.close()
    }
  }
  let uploadsMeanwhile = async (): Promise<void> => undefined

  const before = await check(false)
  uploadsMeanwhile = () => uploads(3, 'meanwhile')
  t.strictSame(await check(true), before, 'what came later is not looked at')
  uploadsMeanwhile = async () => undefined
  await server.close()
  t.strictSame(await check(true), await check(false))

  for (const leafIndex of [RANGE, RANGE - 1]) {
    const spoil = `update inclusion_promise
                   set promise = cast(substr(promise, 1, 20) || zeroblob(length(promise) - 20) as blob)
                   where leaf_id = (select min(leaf_id) from leaf) + ${leafIndex}`
    const writer = new Sqlite(path)
    const { changes } = writer.prepare(spoil).run()
    writer.close()
    t.equal(changes, 1)
    const found = await check(true)
    t.match(found, { details: { what: 'promise', index: leafIndex } })
    t.strictSame(found, await check(false))
  }
})

t.test('a thread that cannot read says so', async (t) => {
  const dataDir = await initLog(t)
  const pool = createCheckPool({ path: join(dataDir, 'nothing.db'), threads: 1 })
  t.teardown(() => pool.close())
  await t.rejects(pool.runner.engineProblems(), { code: 'not_found', message: /there is no log/ })
})

t.test('a thread that is gone fails what it is asked', async (t) => {
  const dataDir = await initLog(t)
  const pool = createCheckPool({ path: join(dataDir, 'sigstead.db'), threads: 1 })
  const asked = pool.runner.engineProblems()
  await pool.close()
  await t.rejects(asked, { code: 'internal', message: /died/ })
  await t.rejects(pool.runner.engineProblems(), { code: 'internal', message: /died/ })
})
