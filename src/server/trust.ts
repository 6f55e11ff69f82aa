import type { IdentityConfig } from '../ca/identity/config/identity-config.js'
import { readPassphrase } from '../config/secrets.js'
import { LogError } from '../errors.js'
import { circumstancesOf } from '../site/circumstances.js'
import { createExclusive, type Exclusive } from '../site/exclusive.js'
import { type Holdings, readHoldings, trustStateOf } from '../site/holdings.js'
import { holdingsWith, loadStagedChange } from '../site/planned-change.js'
import { noteCtLogInUse } from '../site/remote-ct-logs.js'
import {
  assertOnlineKeys,
  loadRepository,
  readTufSigners,
  repositoryChange,
  type StoredRepository,
  tufLifetimes
} from '../site/tuf-repository.js'
import type { CellChange } from '../store/log-store.js'
import type { TrustState, TrustTarget } from '../trust/contract.js'
import { findGaps, type LiveServices } from '../trust/gaps.js'
import { readTrustedRoot } from '../trust/read-trusted-root.js'
import { buildTrustTargets, TRUSTED_ROOT_FILE } from '../trust/targets.js'
import type { TufRepository, TufRole } from '../tuf/contract.js'
import { publishedTargets } from '../tuf/current.js'
import { isPublished, publishTargets } from '../tuf/publish.js'
import { refresh } from '../tuf/refresh.js'
import { readRoot } from '../tuf/roles.js'
import { findFile, type ServedFile } from '../tuf/serve-file.js'
import type { SigningContext } from '../tuf/sign-roles.js'
import type { Foundation } from './foundation.js'

/** How often it is looked whether metadata must be signed again. */
const REFRESH_MS = 60 * 60 * 1000

/** What a change of keys does to what is published. */
export interface Publication {
  readonly before: TrustState
  readonly after: TrustState
  /** To be written in the transaction that changes the keys. */
  readonly cells: readonly CellChange[]
  /** Shows it to clients, once that is committed. */
  readonly adopt: () => void
}

/** What clients are told to believe, and the repository they learn it from. */
export interface OpenTrust {
  /** Changes of keys and of what is published happen one at a time. */
  readonly exclusive: Exclusive
  readonly state: () => TrustState
  readonly repository: () => TufRepository
  readonly publicUrl: () => string
  /** Whether the keys of a role are here. */
  readonly canSign: (role: TufRole) => boolean
  /** Whether targets wait to be signed elsewhere. */
  readonly isPending: () => boolean
  readonly tufFile: (path: string) => ServedFile | undefined
  readonly signing: () => SigningContext
  /**
   * Publishes what is true now, and signs again what is due.
   *
   * @param publicUrl where clients reach the server
   * @throws LogError `conflict` when clients would refuse what the services sign
   */
  publish(publicUrl: string): Promise<void>
  /** For work on a stopped server: believes the address that is published. */
  stayAtPublishedUrl(): Promise<void>
  /** What the repository is to be once these keys are in use. @throws LogError `conflict` when the keys of targets are elsewhere */
  prepare(holdings: Holdings): Promise<Publication>
  /** Material for these keys, whether or not it can be signed here. */
  targetsFor(holdings: Holdings): {
    readonly state: TrustState
    readonly targets: readonly TrustTarget[]
  }
  /** The publication of a repository that was made elsewhere than in `prepare`. */
  publicationOf(next: TufRepository, after: TrustState): Publication
  /** Looks anew at what is true, without publishing it. */
  reload(): Promise<void>
  /** Writes and shows a repository. @throws LogError `conflict` */
  store(next: TufRepository, after?: TrustState): Promise<void>
}

/**
 * Opens the TUF repository.
 *
 * @param live what the services sign with now
 * @param options.canMissKeys for work on a stopped server, which may be what replaces them
 * @throws LogError `conflict` when there is none, or a key is missing; `integrity` when it is damaged
 */
export async function openTrust(
  foundation: Foundation,
  issuers: IdentityConfig,
  live: () => LiveServices,
  { canMissKeys = false }: { readonly canMissKeys?: boolean | undefined } = {}
): Promise<OpenTrust> {
  const { config, options, paths, database, closers } = foundation
  const { logger, now } = options
  const { register } = database
  const found = await loadRepository(register)
  if (found === undefined) {
    throw new LogError(
      'conflict',
      `data directory ${paths.root} has no TUF repository yet: run sigstead init, which adds what is missing, or set ` +
        'tuf.enabled to false'
    )
  }
  const { remoteCtLog } = circumstancesOf(config, issuers, config.publicUrl)
  await noteCtLogInUse(register, remoteCtLog, Math.floor(now() / 1000))
  let stored: StoredRepository = found
  let signers = readSigners(stored.repository)
  let publicUrl = config.publicUrl
  let state = trustStateOf(await heldNow(), circumstancesOf(config, issuers, publicUrl))
  const exclusive = createExclusive()

  function readSigners({ roots }: TufRepository): SigningContext['signers'] {
    const { roles } = readRoot(roots.at(-1) ?? '')
    const found = readTufSigners(paths, roles, readPassphrase(config.log))
    if (!canMissKeys) assertOnlineKeys(paths, roles, found)
    return found
  }

  function signing(): SigningContext {
    return { signers, lifetimes: tufLifetimes(config), nowSeconds: Math.floor(now() / 1000) }
  }

  function canSign(role: TufRole): boolean {
    const { threshold } = readRoot(stored.repository.roots.at(-1) ?? '').roles[role]
    return signers[role].length >= threshold
  }

  /** Keys in use, and the one that waits to be. */
  async function heldNow(): Promise<Holdings> {
    const holdings = await readHoldings(database)
    const { change } = await loadStagedChange(register)
    return change === undefined ? holdings : holdingsWith(holdings, change)
  }

  function targetsFor(holdings: Holdings) {
    const made = trustStateOf(holdings, circumstancesOf(config, issuers, publicUrl))
    return { state: made, targets: buildTrustTargets(made) }
  }

  function show(next: TufRepository, cell: CellChange, after: TrustState): void {
    const rootChanged = next.roots.length !== stored.repository.roots.length
    stored = { repository: next, stored: cell.next }
    state = after
    if (rootChanged) signers = readSigners(next)
  }

  function publicationOf(next: TufRepository, after: TrustState): Publication {
    const cell = repositoryChange(stored, next)
    const cells = next === stored.repository ? [] : [cell]
    return { before: state, after, cells, adopt: () => show(next, cell, after) }
  }

  async function store(next: TufRepository, after = state): Promise<void> {
    const { cells, adopt } = publicationOf(next, after)
    if (!(await register.swapAll(cells))) {
      throw new LogError('conflict', 'somebody else changed the TUF repository meanwhile')
    }
    if (cells.length > 0) adopt()
    else state = after
  }

  async function publish(url: string): Promise<void> {
    publicUrl = url
    const { state: after, targets } = targetsFor(await heldNow())
    const isNew = !isPublished(stored.repository, targets)
    const isSigned = canSign('targets')
    const context = signing()
    const next =
      isNew && isSigned
        ? await publishTargets(stored.repository, { targets, ...context })
        : stored.repository
    await store(await refresh(next, context), after)
    if (isNew && !isSigned) {
      logger.warn(
        'the trust material has changed, and the TUF targets keys are elsewhere: sign it with sigstead tuf targets draft'
      )
    }
    const gaps = findGaps(publishedTrustedRoot(stored.repository), live())
    if (gaps.length > 0) {
      throw new LogError(
        'conflict',
        `clients would refuse what this server signs: ${gaps
          .map(({ service, problem }) => `${service}: ${problem}`)
          .join('; ')}. Publish what is true now: sigstead tuf targets draft`
      )
    }
  }

  const timer = setInterval(() => {
    exclusive(async () => store(await refresh(stored.repository, signing()))).catch(
      (err: unknown) => {
        logger.error({ err }, 'TUF metadata were not signed again')
      }
    )
  }, REFRESH_MS)
  timer.unref()
  closers.push(async () => {
    clearInterval(timer)
    await exclusive(async () => undefined)
  })

  return {
    exclusive,
    state: () => state,
    repository: () => stored.repository,
    publicUrl: () => publicUrl,
    canSign,
    // What can be signed here is published at the next start at the latest.
    isPending: () =>
      !canSign('targets') && !isPublished(stored.repository, buildTrustTargets(state)),
    tufFile: (path) => findFile(stored.repository, path),
    signing,
    publish: (url) => exclusive(() => publish(url)),
    stayAtPublishedUrl: async () => {
      const { tlogs } = readTrustedRoot(publishedTrustedRoot(stored.repository))
      publicUrl = tlogs.at(-1)?.baseUrl ?? publicUrl
      state = targetsFor(await heldNow()).state
    },
    targetsFor,
    async prepare(holdings) {
      const { state: after, targets } = targetsFor(holdings)
      const next = await publishTargets(stored.repository, { targets, ...signing() })
      return publicationOf(next, after)
    },
    publicationOf,
    reload: async () => {
      state = targetsFor(await heldNow()).state
    },
    store
  }
}

/** `trusted_root.json` as clients get it. */
function publishedTrustedRoot(repository: TufRepository): Uint8Array {
  const file = publishedTargets(repository).find(({ name }) => name === TRUSTED_ROOT_FILE)
  if (file === undefined) throw new LogError('integrity', `no ${TRUSTED_ROOT_FILE} is published`)
  return file.bytes
}
