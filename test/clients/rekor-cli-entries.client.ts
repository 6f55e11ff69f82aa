// rekor-cli upload, get and verify for every kind of entry and key format. Verifying by files is the sharpest check of
// all: the client proposes the entry again, and rekor-cli 1.5 writes the canonical body itself and compares the bytes.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { SUITES } from './clients.js'
import type { Suite } from './clients.js'
import { makeFreshMaterial } from './fresh-material.js'
import { fixture, materialFlags, RECORDED, wrongKeyFor } from './material.js'
import type { Material } from './material.js'
import { entryIdOf, printed, rekorCli } from './rekor-cli.js'
import type { Got, Uploaded } from './rekor-cli.js'
import { accepted, openSession, refused } from './session.js'
import type { Session } from './session.js'

/** How the client names the members of each kind's body. */
const BODY_MEMBER: Record<Material['type'], string> = {
  hashedrekord: 'HashedRekordObj',
  rekord: 'RekordObj',
  dsse: 'DSSEObj',
  'intoto:0.0.1': 'IntotoObj',
  'intoto:0.0.2': 'IntotoObj'
}

/** Whose signature it is not: in the words of the client, which looks first, or of the log's 400. */
const NOT_SIGNED_SO = new RegExp(
  [
    'accepted signatures do not match threshold, Found: 0, Expected 1', // dsse, intoto
    'crypto/rsa: verification error|invalid signature when validating|Invalid IEEE_P1363', // x509
    'ed25519: invalid signature',
    'signature made by unknown entity|hash tag doesn.t match', // pgp
    'failed to verify signature', // minisign
    'ssh: signature did not verify|signature type \\S+ for key type' // ssh
  ].join('|')
)

for (const suite of SUITES) {
  t.test(suite, async (t) => {
    const session = await openSession(t)
    const fresh = await makeFreshMaterial(t, session)
    const otherSshKey = fresh.filter(({ pkiFormat }) => pkiFormat === 'ssh').at(-1)?.keys[0] ?? ''
    for (const material of RECORDED) {
      const wrongKey = material.pkiFormat === 'ssh' ? otherSshKey : wrongKeyFor(material)
      await t.test(material.name, (t) => roundTrip(t, session, suite, material, wrongKey))
    }
    for (const material of fresh) {
      const recorded = RECORDED.find(({ pkiFormat }) => pkiFormat === material.pkiFormat)
      const wrongKey = recorded?.keys[0] ?? ''
      await t.test(material.name, (t) => roundTrip(t, session, suite, material, wrongKey))
    }

    await t.test('entries written beforehand', async (t) => {
      for (const file of [
        'rekord/proposed_pgp.json',
        'hashedrekord/proposed_hashedrekord.json',
        'dsse/proposed_dsse.json'
      ]) {
        const flags = ['--entry', fixture(file), '--type', file.split('/')[0] ?? '']
        const upload = await rekorCli(session, suite, ['upload', '--format', 'json', ...flags])
        accepted(t, upload, `upload ${file}`)
        const { Location } = printed<Uploaded>(upload)
        accepted(
          t,
          await rekorCli(session, suite, ['verify', '--uuid', entryIdOf(Location)]),
          `verify ${file}`,
          /Computed Root Hash: /
        )
      }
      refused(
        t,
        await rekorCli(session, suite, [
          ...['upload', '--type', 'intoto'],
          ...['--entry', fixture('dsse/proposed_intoto_mislabelled.json')]
        ]),
        'an entry in the shape of another version',
        /content\.envelope\.payloadType in body is required/
      )
    })
  })
}

async function roundTrip(
  t: Test,
  session: Session,
  suite: Suite,
  material: Material,
  wrongKey: string
): Promise<void> {
  const flags = materialFlags(material)
  const upload = await rekorCli(session, suite, ['upload', '--format', 'json', ...flags])
  accepted(t, upload, 'upload')
  const { AlreadyExists, Location, Index } = printed<Uploaded>(upload)
  const entryId = entryIdOf(Location)
  const leafHash = entryId.slice(16)
  t.equal(AlreadyExists, false, 'a new entry')
  if (material.leafHash !== undefined) {
    t.equal(leafHash, material.leafHash, 'the leaf hash a real Rekor gives')
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
    t.same(Object.keys(entry.Body), [BODY_MEMBER[material.type]], `get ${how[0]}: this kind`)
    if (material.type.startsWith('intoto')) {
      const envelope = JSON.parse(readFileSync(material.artifact, 'utf8')) as { payload: string }
      t.equal(
        entry.Attestation,
        Buffer.from(envelope.payload, 'base64').toString('utf8'),
        `get ${how[0]}: the attestation, whose hash the client checked`
      )
    }
    accepted(
      t,
      await rekorCli(session, suite, ['verify', ...how]),
      `verify ${how[0]}`,
      /Computed Root Hash: /
    )
  }
  if (!(suite === 'sid' && material.unstableKey === true)) {
    accepted(
      t,
      await rekorCli(session, suite, ['verify', ...flags]),
      'verify by files',
      new RegExp(`Entry Hash: ${leafHash}`)
    )
  }

  const changed = { ...material, artifact: changedCopy(session, material) }
  const wrong = { ...material, keys: [wrongKey, ...material.keys.slice(1)] }
  for (const [name, bad] of Object.entries({ 'changed artifact': changed, 'wrong key': wrong })) {
    refused(
      t,
      await rekorCli(session, suite, ['upload', ...materialFlags(bad)]),
      `upload, ${name}`,
      NOT_SIGNED_SO
    )
    refused(
      t,
      await rekorCli(session, suite, ['verify', ...materialFlags(bad)]),
      `verify, ${name}`,
      NOT_SIGNED_SO
    )
  }
}

/** The artifact with one byte more, or the envelope with another payload. */
function changedCopy(session: Session, material: Material): string {
  const content = readFileSync(material.artifact)
  const name = `changed-${basename(material.artifact)}`
  if (material.signature !== undefined) {
    return session.write(name, Buffer.concat([content, Buffer.from('x')]))
  }
  const envelope = JSON.parse(content.toString('utf8')) as { payload: string }
  const payload = Buffer.from(envelope.payload, 'base64').toString('utf8')
  const altered = Buffer.from(payload.replace('{', '{"added":true,')).toString('base64')
  return session.write(name, JSON.stringify({ ...envelope, payload: altered }))
}
