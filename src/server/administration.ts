import { createLogKey } from '../config/key-files.js'
import { readPassphrase } from '../config/secrets.js'
import { readVersion } from '../config/version.js'
import { decodeSinglePem } from '../encoding/pem.js'
import { encodeHex } from '../encoding/hex.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { generateLogKey } from '../keys/local-signer.js'
import type { Signer } from '../keys/signer.js'
import type { TransparencyLog } from '../log/contract.js'
import { hashData } from '../keys/verify.js'
import type {
  Administration,
  DraftReport,
  DraftRootRequest,
  RotatedPart,
  StatusReport
} from '../site/administration.js'
import { discardKeys } from '../site/authorities.js'
import { createExclusive } from '../site/exclusive.js'
import { readHoldings } from '../site/holdings.js'
import { holdingsWith, loadStagedChange, stagedChange } from '../site/planned-change.js'
import { assertOnlineKeys, readTufSigners } from '../site/tuf-repository.js'
import type { RoleKeys, TufRole } from '../tuf/contract.js'
import { describeDraft } from '../tuf/describe-draft.js'
import { signDraft } from '../tuf/draft.js'
import { draftedRoles } from '../tuf/drafted-root.js'
import { readRoot } from '../tuf/roles.js'
import { acceptRoot, draftRoot } from '../tuf/root-draft.js'
import { acceptTargets } from '../tuf/targets-draft.js'
import type { Calendar } from './calendar.js'
import type { Parts } from './core.js'
import type { OpenTrust } from './trust.js'
import { draftTargetsHere, executeStaged, rotate, type Rotating } from './rotation.js'

/** What operators do to the server that these parts are of. */
export function createAdministration(rotating: Rotating, calendar: Calendar): Administration {
  const { parts, site } = rotating
  const { config, paths, database } = site
  const exclusive = rotating.trust?.exclusive ?? createExclusive()

  function tuf(): OpenTrust {
    if (rotating.trust !== undefined) return rotating.trust
    throw new LogError('conflict', 'there is no TUF repository: tuf.enabled is false')
  }

  async function status(): Promise<StatusReport> {
    const { trust } = rotating
    const staged = await loadStagedChange(database.register)
    const root = trust?.repository().roots.at(-1)
    return {
      publicUrl: trust?.publicUrl() ?? config.publicUrl,
      version: readVersion(),
      trees: logsOf(parts).map((log) => ({
        log: log.record.log,
        treeId: log.record.treeId,
        origin: log.record.origin,
        treeSize: log.checkpoint().treeHead.treeSize
      })),
      rootSha256: root === undefined ? undefined : encodeHex(hashData('sha256', encodeUtf8(root))),
      isPending: trust?.isPending() ?? false,
      staged: staged.change?.what,
      calendar: calendar()
    }
  }

  async function draftNewRoot(request: DraftRootRequest): Promise<DraftReport> {
    const trust = tuf()
    const repository = trust.repository()
    const { role } = request
    const { roles } = readRoot(repository.roots.at(-1) ?? '')
    const made =
      role === undefined
        ? undefined
        : await keysFor(role, roles[role], trust.signing().signers[role], request)
    let draft = draftRoot(
      repository,
      role === undefined || made === undefined ? {} : { roles: { [role]: made.keys } },
      trust.signing()
    )
    const signers = trust.signing().signers.root
    const signing =
      role === 'root' && made?.signer !== undefined ? [...signers, made.signer] : signers
    for (const signer of signing) draft = await signDraft(draft, signer)
    return {
      draft,
      description: describeDraft(draft, repository),
      ...(made?.keyName === undefined ? {} : { keyFile: `${paths.keys}/${made.keyName}` })
    }
  }

  /** Keys a role is to have: those that are given, or a new one in place of those that are here. */
  async function keysFor(
    role: TufRole,
    before: RoleKeys,
    here: readonly Signer[],
    { publicKeysPem, threshold, dryRun }: DraftRootRequest
  ): Promise<{ readonly keys: RoleKeys; readonly keyName?: string; readonly signer?: Signer }> {
    if (publicKeysPem !== undefined) {
      const publicKeys = publicKeysPem.map(readPublicKey)
      return { keys: { publicKeys, threshold: threshold ?? before.threshold } }
    }
    const isOnline = role === 'snapshot' || role === 'timestamp'
    if (here.length === 0 && !isOnline) {
      throw new LogError(
        'conflict',
        `the keys of TUF role ${role} are elsewhere: make a new one there with sigstead tuf key new, and give the public ` +
          'keys the role is to have with --public-keys'
      )
    }
    const hereIds = new Set(here.map(({ publicKey }) => encodeHex(publicKey)))
    // Keys that should be here and are not are lost, and replaced as well.
    const kept = isOnline ? [] : before.publicKeys.filter((key) => !hereIds.has(encodeHex(key)))
    const count = kept.length + 1
    // Before a key is made that nobody needs.
    if (threshold !== undefined && threshold > count) {
      throw new LogError(
        'invalid_request',
        `threshold of role ${role} is ${threshold}, and it would have ${count} keys: one is made here in place of those ` +
          'that are here, and more can be given with --public-keys'
      )
    }
    const owner = `tuf-${role}` as const
    const { signer, keyName } = dryRun
      ? discardKeys(owner, await generateLogKey())
      : await createLogKey(paths.keys, owner, readPassphrase(config.log))
    return {
      keys: {
        publicKeys: [...kept, signer.publicKey],
        threshold: threshold ?? Math.min(before.threshold, count)
      },
      keyName,
      signer
    }
  }

  async function publishRoot(draft: string, confirmation: string) {
    const trust = tuf()
    const description = describeDraft(draft, trust.repository())
    const context = trust.signing()
    const roles = draftedRoles(draft)
    const signers = readTufSigners(paths, roles, readPassphrase(config.log))
    const changed = description.roles.filter(({ addedKeyIds }) => addedKeyIds.length > 0)
    assertOnlineKeys(
      paths,
      roles,
      signers,
      changed.map(({ role }) => role)
    )
    await trust.store(
      await acceptRoot(trust.repository(), draft, confirmation, { ...context, signers })
    )
    parts.foundation.options.logger.warn(
      { version: description.version, sha256: description.sha256 },
      'a new TUF root was published'
    )
    return description
  }

  /** What is to be published: keys in use, and the one that waits. */
  async function material() {
    const holdings = await readHoldings(database)
    const { change } = await loadStagedChange(database.register)
    const made = tuf().targetsFor(change === undefined ? holdings : holdingsWith(holdings, change))
    return { ...made, change }
  }

  async function draftNewTargets(): Promise<DraftReport> {
    const trust = tuf()
    const { targets } = await material()
    const draft = await draftTargetsHere(trust, targets)
    return { draft, description: describeDraft(draft, trust.repository()) }
  }

  async function publishDraftedTargets(draft: string) {
    const trust = tuf()
    const description = describeDraft(draft, trust.repository())
    const { state, targets, change } = await material()
    const next = await acceptTargets(trust.repository(), draft, { targets, ...trust.signing() })
    if (change === undefined) {
      await trust.store(next, state)
      return description
    }
    await executeStaged(rotating, change, trust.publicationOf(next, state))
    // What it replaced has ended now, which is not signed yet.
    await trust.reload()
    return { ...description, rotated: change.what }
  }

  async function cancelRotation(): Promise<{ readonly cancelled: RotatedPart }> {
    const staged = await loadStagedChange(database.register)
    if (staged.change === undefined) {
      throw new LogError('conflict', 'no rotation waits: there is nothing to cancel')
    }
    if (!(await database.register.swapAll([stagedChange(staged, undefined)]))) {
      throw new LogError('conflict', 'somebody else changed the rotation that waits meanwhile')
    }
    await rotating.trust?.reload()
    return { cancelled: staged.change.what }
  }

  return {
    status,
    rotate: (request) => exclusive(() => rotate(rotating, request)),
    cancelRotation: () => exclusive(cancelRotation),
    draftRoot: (request) => exclusive(() => draftNewRoot(request)),
    publishRoot: (draft, confirmation) => exclusive(() => publishRoot(draft, confirmation)),
    draftTargets: () => exclusive(draftNewTargets),
    publishTargets: (draft) => exclusive(() => publishDraftedTargets(draft))
  }
}

/** The logs that are being written now. */
export function logsOf({
  rekorLog,
  certificates
}: Pick<Parts, 'rekorLog' | 'certificates'>): readonly TransparencyLog[] {
  return [
    rekorLog.generations.current.log,
    ...(certificates === undefined ? [] : [certificates.generations.current.log])
  ]
}

/** @throws LogError `invalid_request`, also where there is more than one key: the others would be lost */
function readPublicKey(pem: string): Uint8Array {
  return decodeSinglePem(encodeUtf8(pem), 'PUBLIC KEY')
}
