import t from 'tap'
import { createTestLog, openTestLog, checkTestLog, testLeaves } from '../helpers/test-log.js'

t.test('adds leaves and publishes them', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const log = await openTestLog(store, key)
  const added = await Promise.all(testLeaves(600).map((leaf) => log.add(leaf)))
  t.strictSame(
    added.map(({ leafIndex }) => leafIndex),
    added.map((_, i) => i)
  )
  await log.close()
  const report = await checkTestLog(database)
  t.equal(report.trees[0]?.treeSize, 600)
  t.comment(JSON.stringify(report))
})
