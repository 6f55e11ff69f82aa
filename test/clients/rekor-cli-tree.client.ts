// rekor-cli loginfo and logproof, and the memory rekor-cli keeps of a log between runs: growth is proved, anything else
// is refused, and so is every answer somebody changed on the way.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { SUITES } from './clients.js'
import type { Suite } from './clients.js'
import { otherLogKey } from './cosign.js'
import { materialFlags, RECORDED } from './material.js'
import { printed, rekorCli } from './rekor-cli.js'
import type { LogInfo, Uploaded } from './rekor-cli.js'
import { startRelay } from './relay.js'
import { accepted, openSession, refused } from './session.js'
import type { Session } from './session.js'
import {
  flipBase64,
  flipCheckpointRoot,
  flipCheckpointSignature,
  flipHex,
  withChange
} from './tamper.js'
import type { Json, Path } from './tamper.js'

interface EntryTampering {
  readonly name: string
  readonly path: Path
  readonly change: (value: Json) => Json
  readonly reason: RegExp
}

const BAD_SET = /unable to verify bundle: invalid signature when validating ASN\.1/
const BAD_ROOT = /calculated root:/
const BAD_CHECKPOINT = /signature on checkpoint did not verify/
const NOT_OUR_PAST = /calculated root:/

/** Everything about one entry that rekor-cli must check before it shows it. */
const ENTRY_TAMPERINGS: readonly EntryTampering[] = [
  {
    name: 'SET',
    path: ['verification', 'signedEntryTimestamp'],
    change: flipBase64,
    reason: BAD_SET
  },
  {
    name: 'time',
    path: ['integratedTime'],
    change: (value) => Number(value) + 1,
    reason: BAD_SET
  },
  {
    name: 'proof hash',
    path: ['verification', 'inclusionProof', 'hashes', 0],
    change: flipHex,
    reason: BAD_ROOT
  },
  {
    name: 'proof root',
    path: ['verification', 'inclusionProof', 'rootHash'],
    change: flipHex,
    reason: BAD_ROOT
  },
  {
    name: 'checkpoint root',
    path: ['verification', 'inclusionProof', 'checkpoint'],
    change: flipCheckpointRoot,
    reason: BAD_CHECKPOINT
  },
  {
    name: 'checkpoint signature',
    path: ['verification', 'inclusionProof', 'checkpoint'],
    change: flipCheckpointSignature,
    reason: BAD_CHECKPOINT
  }
]

for (const suite of SUITES) {
  t.test(`${suite}, a log that grows`, async (t) => {
    const session = await openSession(t)
    const loginfo = () => rekorCli(session, suite, ['loginfo', '--format', 'json'])

    const first = await loginfo()
    accepted(t, first, 'loginfo, the first time')
    const before = printed<LogInfo>(first)
    t.ok(before.ActiveTreeSize >= 1, 'a new log holds its own statement')
    t.equal(Object.keys(memory(session, suite)).length, 2, 'remembered by tree and by address')

    const sizes = [before.ActiveTreeSize]
    for (const batch of [RECORDED.slice(0, 1), RECORDED.slice(1, 4), RECORDED.slice(4, 12)]) {
      for (const material of batch) await upload(session, suite, material)
      const later = await loginfo()
      accepted(t, later, `loginfo, ${batch.length} entries later`)
      t.match(later.stderr, /^(?!.*unable to prove consistency)/s, 'the growth was proved')
      sizes.push(printed<LogInfo>(later).ActiveTreeSize)
    }
    t.same(
      sizes.map((size) => size - before.ActiveTreeSize),
      [0, 1, 4, 12]
    )

    const last = sizes.at(-1) ?? 0
    for (const from of sizes) {
      const proof = await rekorCli(session, suite, [
        ...['logproof', '--format', 'json', '--first-size', String(from)],
        ...['--last-size', String(last)]
      ])
      accepted(t, proof, `logproof from ${from} to ${last}`)
      const { Hashes } = printed<{ Hashes: string[] | null }>(proof)
      t.equal((Hashes ?? []).length === 0, from === last, 'hashes exactly where there is growth')
    }
    const withTree = ['logproof', '--last-size', String(last), '--tree-id']
    accepted(
      t,
      await rekorCli(session, suite, [...withTree, before.TreeID]),
      'logproof of the tree by its id'
    )
    refused(
      t,
      await rekorCli(session, suite, [...withTree, '1']),
      'logproof of a tree that is not here',
      /getLogProofBadRequest/
    )
    refused(
      t,
      await rekorCli(session, suite, ['logproof', '--last-size', String(last + 1)]),
      'logproof beyond the end',
      /\[400\] getLogProofBadRequest/
    )
    refused(
      t,
      await rekorCli(session, suite, ['logproof', '--first-size', '3', '--last-size', '2']),
      'logproof backwards',
      /last-size must be >= to first-size/
    )
  })

  t.test(`${suite}, the memory of another log`, async (t) => {
    const session = await openSession(t)
    const { server: otherServer } = await openSession(t)
    for (const material of RECORDED.slice(0, 3)) await upload(session, suite, material)
    const loginfo = () => rekorCli(session, suite, ['loginfo'])
    accepted(t, await loginfo(), 'loginfo')
    const own = memory(session, suite)

    // The other log's checkpoint is as true as ours and smaller; only the proof can tell that it is not our past.
    const otherInfo = await fetch(`${otherServer.url}/api/v1/log`)
    const { signedTreeHead } = (await otherInfo.json()) as { signedTreeHead: string }
    writeMemory(
      session,
      suite,
      Object.fromEntries(Object.keys(own).map((key) => [key, signedTreeHead]))
    )
    refused(t, await loginfo(), 'another log\u2019s smaller tree', NOT_OUR_PAST)

    const larger = Object.entries(own).map(([key, checkpoint]) => {
      const lines = checkpoint.split('\n')
      lines[1] = String(Number(lines[1]) + 1)
      return [key, lines.join('\n')] as const
    })
    writeMemory(session, suite, Object.fromEntries(larger))
    refused(
      t,
      await loginfo(),
      'a tree that was larger before',
      /returned a tree size larger than the verified tree size/
    )

    writeMemory(session, suite, own)
    accepted(t, await loginfo(), 'loginfo with its own memory back')
  })

  t.test(`${suite}, answers changed on the way`, async (t) => {
    const session = await openSession(t)
    for (const material of RECORDED.slice(0, 3)) await upload(session, suite, material)
    const logInfo = printed<LogInfo>(
      await rekorCli(session, suite, ['loginfo', '--format', 'json'])
    )
    const index = String(logInfo.ActiveTreeSize - 1)
    const through = async (
      args: readonly string[],
      change: (path: string, answer: Json) => string
    ) => {
      const relay = await startRelay(session.server.url, change)
      const outcome = await rekorCli(session, suite, args, { REKOR_REKOR_SERVER: relay.url })
      await relay.close()
      t.not(relay.changed(), 0, 'something was changed')
      return outcome
    }
    const relayed = await startRelay(session.server.url, () => undefined)
    accepted(
      t,
      await rekorCli(session, suite, ['get', '--log-index', index], {
        REKOR_REKOR_SERVER: relayed.url
      }),
      'get, unchanged'
    )
    await relayed.close()

    for (const { name, path, change, reason } of ENTRY_TAMPERINGS) {
      refused(
        t,
        await through(['get', '--log-index', index], (_path, answer) =>
          withChange(answer, [onlyMember(answer), ...path], change)
        ),
        `get, ${name} changed`,
        reason
      )
    }
    for (const { name, change } of [
      { name: 'root in the tree head', change: flipCheckpointRoot },
      { name: 'signature of the tree head', change: flipCheckpointSignature }
    ]) {
      refused(
        t,
        await through(['loginfo'], (_path, answer) =>
          withChange(answer, ['signedTreeHead'], change)
        ),
        `loginfo, ${name} changed`,
        /signature on tree head did not verify/
      )
    }
  })

  t.test(`${suite}, another log key`, async (t) => {
    const session = await openSession(t)
    await upload(session, suite, RECORDED[0])
    const otherKey = { REKOR_REKOR_SERVER_PUBLIC_KEY: otherLogKey() }
    for (const args of [
      ['get', '--log-index', '1'],
      ['verify', '--log-index', '1'],
      ['loginfo'],
      ['upload', ...materialFlags(RECORDED[1] as (typeof RECORDED)[number])]
    ]) {
      refused(
        t,
        await rekorCli(session, suite, args, otherKey),
        args[0] ?? '',
        /signature on (tree head|checkpoint) did not verify|invalid signature when validating/
      )
    }
  })
}

async function upload(
  session: Session,
  suite: Suite,
  material: (typeof RECORDED)[number] | undefined
): Promise<Uploaded> {
  if (material === undefined) throw new Error('nothing to upload')
  return printed<Uploaded>(
    await rekorCli(session, suite, ['upload', '--format', 'json', ...materialFlags(material)])
  )
}

function onlyMember(answer: Json): string {
  const [name, ...more] = Object.keys(answer as Record<string, Json>)
  if (name === undefined || more.length > 0) throw new Error('not one entry')
  return name
}

function memoryFile(session: Session, suite: Suite): string {
  return `${session.dir}/home-${suite}/.rekor/state.json`
}

/** What rekor-cli remembers: checkpoints by tree id and by address. */
function memory(session: Session, suite: Suite): Record<string, string> {
  return JSON.parse(readFileSync(memoryFile(session, suite), 'utf8')) as Record<string, string>
}

function writeMemory(session: Session, suite: Suite, state: Record<string, string>): void {
  mkdirSync(`${session.dir}/home-${suite}/.rekor`, { recursive: true })
  writeFileSync(memoryFile(session, suite), JSON.stringify(state))
}
