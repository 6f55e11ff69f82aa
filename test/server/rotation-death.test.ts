import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LogError } from '../../src/errors.js'
import { rotate } from '../../src/server/rotation.js'
import { ROTATED_PARTS } from '../../src/site/administration.js'
import type { Database } from '../../src/store/log-store.js'
import {
  artifactKey,
  initLog,
  runCommand,
  startTestServer,
  tempFolder,
  testConfig,
  upload
} from '../helpers/cli.js'
import { openTestCore } from '../helpers/open-core.js'
import {
  administrationOf,
  newVerifier,
  readEntry,
  signWith,
  startIssuer
} from '../helpers/whole-server.js'

const key = artifactKey()
const issuer = await startIssuer(t)
const flags = { 'ca-issuers-file': issuer.issuersFile }

/** What the disk holds at this moment: what a process that dies now leaves behind. */
function copyOf(dataDir: string): string {
  const copy = join(tempFolder(t), 'data')
  cpSync(dataDir, copy, { recursive: true, filter: (name) => !/\.(lock|sock)$/.test(name) })
  return copy
}

/** The same database, looked at right before and right after a change becomes durable. */
function watched(database: Database, look: (moment: 'before' | 'after') => void) {
  const { createTree, register } = database
  return {
    createTree: async (...args: Parameters<typeof createTree>) => {
      look('before')
      const record = await createTree(...args)
      look('after')
      return record
    },
    register: {
      ...register,
      swapAll: async (...args: Parameters<typeof register.swapAll>) => {
        look('before')
        const isDone = await register.swapAll(...args)
        look('after')
        return isDone
      }
    }
  }
}

for (const what of ROTATED_PARTS) {
  t.test(`a process that dies while it rotates ${what}`, async (t) => {
    const dataDir = await initLog(t)
    const { core, rotating, close } = await openTestCore(t, testConfig(dataDir, flags))
    const left: Partial<Record<'before' | 'after', string>> = {}
    const database = watched(core.foundation.database, (moment) => {
      left[moment] = copyOf(dataDir)
    })
    const { keyFile, keyFileBefore } = await rotate(rotating({ database }), {
      what,
      dryRun: false
    })
    await close()
    for (const [moment, folder] of Object.entries(left)) {
      const isDone = moment === 'after'
      const config = testConfig(folder, flags)
      const server = await startTestServer(t, config)
      const url = server.publicUrl
      const administration = await administrationOf(config)
      const status = await administration.status()
      t.equal(status.isPending, false, `${moment}: what is true is published`)
      const report = await administration.rotate({ what, dryRun: true })
      t.equal(report.keyFileBefore, isDone ? keyFile : keyFileBefore, 'which key signs')
      if (what === 'log') {
        const [, first] = await readEntry(url, '?logIndex=0')
        const id = await upload(url, moment, key)
        const [, { logIndex }] = await readEntry(url, `/${id}`)
        t.equal(first.logIndex, 0)
        t.equal(logIndex, isDone ? 2 : 1, 'the new tree begins with its statement')
      }
      const verify = await newVerifier(t, url, issuer)
      await verify(await signWith(url, issuer))
      t.equal((await administration.rotate({ what, dryRun: false })).outcome, 'done')
      await verify(await signWith(url, issuer))
      await server.close()
      t.match(await runCommand(['verify', '--data-dir', folder]), { code: 0 })
    }
    t.equal(Object.keys(left).length, 2)
  })
}

t.test('a log that was not opened after its rotation is opened by the next start', async (t) => {
  const dataDir = await initLog(t)
  const { core, rotating, close } = await openTestCore(t, testConfig(dataDir))
  const broken = () => Promise.reject(new LogError('internal', 'the process ends here'))
  const parts = { rekorLog: { ...core.rekorLog, reopen: broken } }
  await t.rejects(rotate(rotating({ parts }), { what: 'log', dryRun: false }))
  await close()
  for (let i = 0; i < 2; i++) {
    const server = await startTestServer(t, testConfig(dataDir))
    await upload(server.publicUrl, `text ${i}`, key)
    const [, entry] = await readEntry(server.publicUrl, `?logIndex=${2 + i}`)
    t.equal(entry.logIndex, 2 + i)
    await server.close()
  }
})
