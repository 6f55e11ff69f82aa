// rekor-cli upload, get, verify and search for what carries its own signature: jar, alpine, helm, rfc3161, cose. Debian's builds
// know neither rpm nor tuf. Verifying by files is the sharpest check: the client proposes the entry again, and rekor-cli 1.5
// writes the canonical body itself and compares the bytes.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { SUITES } from './clients.js'
import type { Suite } from './clients.js'
import { digestOf } from './material.js'
import { makeFreshPackages, packageFlags, PACKAGES } from './packages.js'
import type { Package } from './packages.js'
import { entryIdOf, printed, rekorCli } from './rekor-cli.js'
import type { Got, Uploaded } from './rekor-cli.js'
import { accepted, openSession, refused } from './session.js'
import type { Session } from './session.js'

for (const suite of SUITES) {
  t.test(suite, async (t) => {
    const session = await openSession(t)
    const packages = [...PACKAGES, ...(await makeFreshPackages(t, session))]
    for (const item of packages) {
      await t.test(item.name, async (t) => {
        const entryId = await roundTrip(t, session, suite, item)
        await search(t, session, suite, item, entryId)
        await refusals(t, session, suite, item)
      })
    }
  })
}

/** @returns the entry ID */
async function roundTrip(t: Test, session: Session, suite: Suite, item: Package): Promise<string> {
  const flags = packageFlags(item)
  const upload = await rekorCli(session, suite, ['upload', '--format', 'json', ...flags])
  accepted(t, upload, 'upload')
  const { AlreadyExists, Location, Index } = printed<Uploaded>(upload)
  const entryId = entryIdOf(Location)
  const leafHash = entryId.slice(16)
  t.equal(AlreadyExists, false, 'a new entry')
  if (item.leafHash !== undefined) {
    t.equal(leafHash, item.leafHash, 'the leaf hash a real Rekor gives')
  }

  const again = await rekorCli(session, suite, ['upload', '--format', 'json', ...flags])
  t.match(printed(again), { AlreadyExists: true, Location }, 'uploaded again: the same entry')

  for (const how of [
    ['--uuid', entryId],
    ['--uuid', leafHash],
    ['--log-index', String(Index)]
  ]) {
    const got = await rekorCli(session, suite, ['get', '--format', 'json', ...how])
    accepted(t, got, `get ${how[0]}`)
    const entry = printed<Got>(got)
    t.match(entry, { UUID: entryId, LogIndex: Index }, `get ${how[0]}: this entry`)
    t.same(Object.keys(entry.Body), [item.bodyMember], `get ${how[0]}: this kind`)
    t.equal(entry.Attestation !== '', item.isKept === true, `get ${how[0]}: what is kept beside it`)
    accepted(
      t,
      await rekorCli(session, suite, ['verify', ...how]),
      `verify ${how[0]}`,
      /Computed Root Hash: /
    )
  }
  accepted(
    t,
    await rekorCli(session, suite, ['verify', ...flags]),
    'verify by files',
    new RegExp(`Entry Hash: ${leafHash}`)
  )
  return entryId
}

async function search(
  t: Test,
  session: Session,
  suite: Suite,
  item: Package,
  entryId: string
): Promise<void> {
  const find = (...flags: string[]) =>
    rekorCli(session, suite, ['search', '--format', 'json', ...flags])
  const finds = async (...flags: string[]) =>
    t.same(printed<{ UUIDs: string[] }>(await find(...flags)).UUIDs, [entryId], flags.join(' '))
  const findsNothing = async (...flags: string[]) =>
    refused(t, await find(...flags), flags.join(' '), /no matching entries found/)

  const byFile = ['--artifact', item.artifact]
  await (item.isFoundByFile ? finds(...byFile) : findsNothing(...byFile))
  for (const digest of item.digests) await finds('--sha', digest)
  if (item.isFoundByFile) await finds('--sha', `sha256:${digestOf(item.artifact, 'sha256')}`)
  if (item.email !== undefined) await finds('--email', item.email.toUpperCase())
  if (item.key !== undefined) {
    const { format, file, otherFile } = item.key
    const byKey = ['--public-key', file, '--pki-format', format]
    await (item.isFoundByKey ? finds(...byKey) : findsNothing(...byKey))
    await findsNothing(
      ...['--public-key', otherFile, '--pki-format', format],
      ...['--sha', digestOf(item.artifact, 'sha256'), '--operator', 'and']
    )
  }
}

/** What is wrong, in the words of the client, which looks first at some of it, or of the log's 400. */
const WRONG: Record<Package['type'], RegExp> = {
  alpine:
    /checksum for data\.tar\.gz \(\w+\) does not match|Invalid IEEE_P1363|crypto\/rsa: verification error/,
  cose: /verification error|algorithm mismatch: verifier/,
  helm: /openpgp: invalid signature: hash tag doesn.t match|signature made by unknown entity/,
  jar: /file \S+ is in manifest but not JAR/,
  rfc3161: /tsr verification error: invalid signature/
}

async function refusals(t: Test, session: Session, suite: Suite, item: Package): Promise<void> {
  const bad: Record<string, Package> = { 'changed artifact': changedCopy(session, item) }
  if (item.key !== undefined) {
    bad['wrong key'] = { ...item, key: { ...item.key, file: item.key.otherFile } }
  }
  if (item.aad !== undefined) {
    bad['other additional data'] = { ...item, aad: Buffer.from('other').toString('base64') }
  }
  for (const [name, wrong] of Object.entries(bad)) {
    for (const command of ['upload', 'verify']) {
      refused(
        t,
        await rekorCli(session, suite, [command, ...packageFlags(wrong)]),
        `${command}, ${name}`,
        WRONG[item.type]
      )
    }
  }
}

/** The file with one bit changed that is signed: near its end, and in a provenance file in the digest of the chart. */
function changedCopy(session: Session, item: Package): Package {
  const content = readFileSync(item.artifact)
  const digestAt = content.indexOf('sha256:') + 'sha256:'.length
  const at = item.type === 'helm' ? digestAt : content.length - 40
  content[at] = (content[at] ?? 0) ^ 1
  return { ...item, artifact: session.write(`changed-${basename(item.artifact)}`, content) }
}
