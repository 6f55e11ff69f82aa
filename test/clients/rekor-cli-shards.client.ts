// A log that was rotated: rekor-cli still finds and proves what is in the closed tree, accepts the new one, and counts
// both.
import t from 'tap'
import { SUITES } from './clients.js'
import { digestOf, materialFlags, RECORDED } from './material.js'
import type { Material } from './material.js'
import { entryIdOf, printed, rekorCli } from './rekor-cli.js'
import type { Got, LogInfo, Uploaded } from './rekor-cli.js'
import { runSigstead } from './server.js'
import { accepted, openSession, refused } from './session.js'

const [before, second, after] = RECORDED as readonly [Material, Material, Material]

/** With a new key the client asks for each tree's key instead of being given one. */
const ROTATIONS = {
  'the same key': { flags: [], env: {} },
  'a new key': { flags: ['--new-key'], env: { REKOR_REKOR_SERVER_PUBLIC_KEY: '' } }
}

for (const suite of SUITES) {
  for (const [name, { flags, env }] of Object.entries(ROTATIONS)) {
    t.test(`${suite}, rotated with ${name}`, async (t) => {
      const session = await openSession(t)
      const run = (...args: string[]) => rekorCli(session, suite, args, env)
      const upload = async (material: Material) =>
        printed<Uploaded>(await run('upload', '--format', 'json', ...materialFlags(material)))
      const get = async (...how: string[]) =>
        printed<Got>(await run('get', '--format', 'json', ...how))
      const logInfo = async () => printed<LogInfo>(await run('loginfo', '--format', 'json'))

      const old = await upload(before)
      const oldId = entryIdOf(old.Location)
      await upload(second)
      const oldInfo = await logInfo()
      t.equal(oldInfo.TotalTreeSize, oldInfo.ActiveTreeSize, 'one tree')

      await session.server.restart(async () => {
        await runSigstead(['shard', 'rotate', '--data-dir', session.dataDir, ...flags])
      })
      const newInfo = await logInfo()
      t.not(newInfo.TreeID, oldInfo.TreeID, 'another tree')
      t.equal(newInfo.ActiveTreeSize, 1, 'it begins with its own statement')
      t.equal(newInfo.TotalTreeSize, oldInfo.TotalTreeSize + 1, 'both are counted')

      for (const how of [
        ['--uuid', oldId],
        ['--uuid', oldId.slice(16)],
        ['--log-index', String(old.Index)]
      ]) {
        t.match(await get(...how), { UUID: oldId, LogIndex: old.Index }, `get ${how[0]}`)
        accepted(t, await run('verify', ...how), `verify ${how[0]}`, /Computed Root Hash: /)
      }
      accepted(
        t,
        await run('verify', ...materialFlags(before)),
        'verify by files, entry in the closed tree',
        new RegExp(`Entry Hash: ${oldId.slice(16)}`)
      )
      const closedTree = ['logproof', '--tree-id', oldInfo.TreeID, '--last-size']
      accepted(
        t,
        await run(...closedTree, String(oldInfo.ActiveTreeSize)),
        'logproof of the closed tree'
      )
      refused(
        t,
        await run(...closedTree, String(oldInfo.ActiveTreeSize + 1)),
        'logproof beyond the end of the closed tree',
        /\[400\] getLogProofBadRequest/
      )

      const added = await upload(after)
      t.equal(added.Index, newInfo.TotalTreeSize, 'indexes go on where the closed tree ended')
      const addedId = entryIdOf(added.Location)
      t.not(addedId.slice(0, 16), oldId.slice(0, 16), 'the entry id names the new tree')
      t.match(await get('--log-index', String(added.Index)), {
        UUID: addedId,
        LogIndex: added.Index
      })
      accepted(t, await run('verify', ...materialFlags(after)), 'verify by files, new tree')

      const again = await upload(before)
      t.equal(again.AlreadyExists, false, 'what the closed tree holds may be logged once more')
      const ids = [oldId, entryIdOf(again.Location)]
      const search = ['search', '--format', 'json', '--sha', digestOf(before.artifact, 'sha256')]
      const found = printed<{ UUIDs: string[] }>(await run(...search)).UUIDs
      t.same(found.filter((id) => ids.includes(id)).toSorted(), ids.toSorted(), 'both are found')
      // A client that asks by files wants exactly one answer.
      refused(
        t,
        await run('verify', ...materialFlags(before)),
        'verify by files, entry in both trees',
        /multiple entries returned/
      )
      t.match(await logInfo(), { ActiveTreeSize: 3, TotalTreeSize: oldInfo.TotalTreeSize + 3 })
    })
  }
}
