import { createLogKey } from '../config/key-files.js'
import { readPassphrase, readTreeSigner } from '../config/secrets.js'
import { planCtTree } from '../ct/new-tree.js'
import { LogError } from '../errors.js'
import { generateLogKey } from '../keys/local-signer.js'
import type { Succession } from '../log/succession.js'
import type { TransparencyLog } from '../log/contract.js'
import { planRekorTree } from '../rekor/new-tree.js'
import { checkpointNameOf } from '../rekor/signing.js'
import type { RotateReport, RotateRequest, RotatedTree } from '../site/administration.js'
import {
  createAuthority,
  createTimestampingAuthority,
  discardKeys,
  keepAuthorityKeys
} from '../site/authorities.js'
import { type Holdings, readHoldings } from '../site/holdings.js'
import { importedAuthority } from '../site/imported-authority.js'
import {
  changeAt,
  commitChange,
  holdingsAfter,
  holdingsWith,
  loadStagedChange,
  type PlannedChange,
  stagedChange
} from '../site/planned-change.js'
import type { Site } from '../site/site.js'
import { activeAuthority, loadAuthorityState } from '../store/authority-records.js'
import type { CellChange } from '../store/log-store.js'
import type { TrustTarget } from '../trust/contract.js'
import { describeTrustChange, type TrustChange } from '../trust/describe-change.js'
import { signDraft } from '../tuf/draft.js'
import { isPublished } from '../tuf/publish.js'
import { draftTargets } from '../tuf/targets-draft.js'
import type { Parts } from './core.js'
import type { OpenTrust, Publication } from './trust.js'

/** A service with an open trust root. */
export interface Rotating {
  readonly parts: Parts
  readonly trust: OpenTrust | undefined
  readonly site: Site
}

/** What was done, to be told. */
interface Done {
  readonly closed?: RotatedTree
  readonly opened?: Pick<RotatedTree, 'treeId' | 'origin'>
}

/**
 * Gives a part of the server another key: the old one signs nothing more and stays known, a log gets a new tree, and clients
 * are told, all in one transaction. Requests that come meanwhile wait. One rotation at a time: the caller sees to it.
 *
 * @throws LogError `conflict` where it cannot be done now
 */
export async function rotate(rotating: Rotating, request: RotateRequest): Promise<RotateReport> {
  const { parts, trust } = rotating
  const { database } = parts.foundation
  const staged = await loadStagedChange(database.register)
  if (staged.change !== undefined && !request.dryRun) {
    throw new LogError(
      'conflict',
      `the rotation of ${staged.change.what} waits until its targets draft is signed: sigstead tuf targets publish, or ` +
        'sigstead tuf targets draft to draft it again, or sigstead rotate cancel'
    )
  }
  const keyFileBefore = await keyFileOf(rotating, request.what)
  const change = await planChange(rotating, request)
  const keyFile = 'tree' in change ? change.tree.keyName : change.authority.keyName
  const report = { what: request.what, keyFileBefore, keyFile }
  const holdings = await readHoldings(database)
  const after = holdingsAfter(holdings, change)
  if (trust !== undefined && mustWait(trust, after)) {
    const { state, targets } = trust.targetsFor(holdingsWith(holdings, change))
    const changes = describeTrustChange(trust.state(), state)
    if (request.dryRun) return { ...report, outcome: 'dry-run', changes }
    const draft = await draftTargetsHere(trust, targets)
    if (!(await database.register.swapAll([stagedChange(staged, change)]))) {
      throw new LogError('conflict', 'somebody else began a rotation meanwhile')
    }
    return { ...report, outcome: 'waiting', changes, draft }
  }
  const publication = await trust?.prepare(after)
  const changes: readonly TrustChange[] =
    publication === undefined ? [] : describeTrustChange(publication.before, publication.after)
  if (request.dryRun) return { ...report, outcome: 'dry-run', changes }
  const done = await execute(parts, change, publication, [])
  tellOperator(rotating, report)
  return { ...report, outcome: 'done', changes, ...done }
}

/** Whether clients must be told first, by keys that are elsewhere. A new tree with the same key is nothing new to them. */
function mustWait(trust: OpenTrust, after: Holdings): boolean {
  return (
    !trust.canSign('targets') && !isPublished(trust.repository(), trust.targetsFor(after).targets)
  )
}

/** Targets metadata to be signed elsewhere, signed by those of the keys that are here. */
export async function draftTargetsHere(
  trust: Pick<OpenTrust, 'repository' | 'signing'>,
  targets: readonly TrustTarget[]
): Promise<string> {
  let draft = draftTargets(trust.repository(), targets, trust.signing())
  for (const signer of trust.signing().signers.targets) draft = await signDraft(draft, signer)
  return draft
}

/** Lets the change that waits happen, now that `publication` says so. */
export async function executeStaged(
  rotating: Rotating,
  change: PlannedChange,
  publication: Publication
): Promise<void> {
  const { parts, site } = rotating
  const staged = await loadStagedChange(parts.foundation.database.register)
  const nowSeconds = Math.floor(site.world.now() / 1000)
  await execute(parts, changeAt(change, nowSeconds), publication, [stagedChange(staged, undefined)])
  tellOperator(rotating, {
    what: change.what,
    keyFile: 'tree' in change ? change.tree.keyName : change.authority.keyName
  })
}

function tellOperator(
  { parts }: Rotating,
  { what, keyFile }: Pick<RotateReport, 'what' | 'keyFile'>
): void {
  parts.foundation.options.logger.warn({ what, keyFile }, 'rotated')
}

/** @throws LogError `conflict` where the part is off, or cannot be rotated like this */
async function planChange(
  { parts, trust, site }: Rotating,
  request: RotateRequest
): Promise<PlannedChange> {
  const { what, dryRun } = request
  const keep = dryRun ? discardKeys : keepAuthorityKeys(site)
  const atSeconds = Math.floor(site.world.now() / 1000)
  switch (what) {
    case 'log':
      return { what, tree: await planLog({ parts, trust, site }, request) }
    case 'ct': {
      if (parts.certificates === undefined) throw isOff('certificate log', 'ct.enabled')
      const { origin } = parts.certificates.generations.current.log.record
      const [hostname = ''] = origin.split('/')
      const key = await newLogKey(site, 'ct', dryRun)
      return { what, tree: planCtTree({ hostname, ...key, ...site.world }) }
    }
    case 'ca': {
      if (parts.authority === undefined) throw isOff('certificate authority', 'ca.enabled')
      if (request.chainPem !== undefined) {
        return { what, authority: await importedAuthority(site, request.chainPem), atSeconds }
      }
      const { chain } = parts.authority.current()
      if (chain.certificates.length > 1) {
        throw new LogError(
          'conflict',
          'the chain of this authority was signed elsewhere: make a request with sigstead ca csr, have it signed, ' +
            'and give the new chain with sigstead rotate ca --chain FILE'
        )
      }
      return { what, authority: (await createAuthority(site, keep)).authority, atSeconds }
    }
    case 'tsa': {
      if (parts.timestamps === undefined) throw isOff('timestamp authority', 'tsa.enabled')
      const { authority } = await createTimestampingAuthority(site, keep)
      return { what, authority, atSeconds }
    }
  }
}

async function planLog({ parts, trust, site }: Rotating, request: RotateRequest) {
  const { config, paths } = site
  const { record } = parts.rekorLog.generations.current.log
  const hostname = request.hostname ?? config.log.hostname ?? checkpointNameOf(record)
  if (!/^[^\s+]+$/.test(hostname)) {
    throw new LogError('invalid_request', 'a host name has no white space or + in it')
  }
  if (config.log.hostname !== undefined && hostname !== config.log.hostname) {
    throw new LogError(
      'conflict',
      `log.hostname of this server is ${config.log.hostname}: stop it, run sigstead shard rotate --log-hostname ` +
        `${hostname}, and start it with that name`
    )
  }
  const publicUrl = trust?.publicUrl() ?? config.publicUrl
  if (!publicUrl.includes(hostname)) {
    throw new LogError(
      'conflict',
      `${hostname} does not occur in the public URL ${publicUrl}: sigstead would not start with it`
    )
  }
  const key =
    request.keepKey === true
      ? {
          signer: readTreeSigner(paths, record, readPassphrase(config.log)),
          keyName: record.keyName
        }
      : await newLogKey(site, 'rekor', request.dryRun)
  return planRekorTree({ hostname, ...key, ...site.world })
}

async function newLogKey({ config, paths }: Site, owner: 'rekor' | 'ct', dryRun: boolean) {
  return dryRun
    ? discardKeys(owner, await generateLogKey())
    : createLogKey(paths.keys, owner, readPassphrase(config.log))
}

/** File of the key that signs now. */
async function keyFileOf({ parts }: Rotating, what: RotateRequest['what']): Promise<string> {
  const { database } = parts.foundation
  if (what === 'ca' || what === 'tsa') {
    return activeAuthority((await loadAuthorityState(database.register, what)).authorities).keyName
  }
  const trees = await database.trees(what === 'log' ? 'rekor' : 'ct')
  return trees.at(-1)?.keyName ?? ''
}

function isOff(part: string, key: string): LogError {
  return new LogError('conflict', `there is no ${part}: ${key} is false`)
}

/** Writes the change and what is published of it, and lets the services go on with it. */
async function execute(
  parts: Parts,
  change: PlannedChange,
  publication: Publication | undefined,
  others: readonly CellChange[]
): Promise<Done> {
  const { database } = parts.foundation
  const commit = async (): Promise<void> => {
    await commitChange(database, change, [...(publication?.cells ?? []), ...others])
    publication?.adopt()
  }
  if ('tree' in change) {
    const { treeId, origin } = change.tree
    const opened = { treeId, origin }
    if (change.what === 'log') {
      const { generations, reopen } = parts.rekorLog
      return { closed: await replaceLog(generations, reopen, commit), opened }
    }
    const { generations, reopen } = present(parts.certificates)
    return { closed: await replaceLog(generations, reopen, commit), opened }
  }
  await commit()
  if (change.what === 'tsa') {
    await present(parts.timestamps).reload()
    return {}
  }
  // Its certificates must be taken before it issues the first.
  await parts.certificates?.reloadRoots()
  await present(parts.authority).reload()
  return {}
}

/**
 * Closes a log, which writes and publishes what it has taken, and opens what the database has after `commit`: the next tree, or,
 * when that failed, the same one again.
 */
async function replaceLog<
  Generation extends { readonly log: TransparencyLog; readonly ct?: { close(): Promise<void> } }
>(
  generations: Succession<Generation>,
  reopen: () => Promise<Generation>,
  commit: () => Promise<void>
): Promise<RotatedTree> {
  let failure: { readonly err: unknown } | undefined
  let closed: RotatedTree | undefined
  await generations.replace(async ({ log, ct }) => {
    await ct?.close()
    await log.close()
    const { treeId, origin, offset } = log.record
    closed = { treeId, origin, offset, treeSize: log.checkpoint().treeHead.treeSize }
    try {
      await commit()
    } catch (err) {
      failure = { err }
    }
    return reopen()
  })
  if (failure !== undefined) throw failure.err
  return present(closed)
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new LogError('internal', 'a part that is off was rotated')
  return value
}
