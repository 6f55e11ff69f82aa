import { decodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { encodeAddCheckpoint, parseTreeSize, TREE_SIZE_TYPE } from '../note/add-checkpoint.js'
import { parseCheckpoint, type ParsedCheckpoint } from '../note/checkpoint.js'
import { parseSignatureLines } from '../note/signature-lines.js'
import type { WitnessPolicy } from '../note/witness-policy.js'
import {
  attachCosignatures,
  type Cosignatures,
  cosignersOf,
  describeOutcome,
  mergeCosignatures,
  ownCosignatures,
  type PolicyCosigners,
  readCosignatures
} from './attach-cosignatures.js'
import type {
  CollectedCheckpoint,
  CosignatureCollector,
  PostToWitness,
  WitnessAlarm,
  WitnessProblem,
  WitnessReply
} from './contract.js'
import type { CosignedSizes } from './cosigned-sizes.js'

export interface CollectorOptions {
  readonly policy: WitnessPolicy
  readonly post: PostToWitness
  /**
   * Hashes that prove the tree at `secondSize` to begin with the tree at `firstSize`, 1 ≤ firstSize < secondSize. Both are sizes
   * the tree had.
   */
  readonly consistencyProof: (
    firstSize: number,
    secondSize: number
  ) => Promise<readonly Uint8Array[]>
  /** What each witness cosigned last: see createCosignedSizes. */
  readonly sizes: CosignedSizes
  /** For all witnesses together. */
  readonly timeoutMs: number
  /** Without the quorum: `open` gives what there is, `closed` refuses. */
  readonly fail: 'open' | 'closed'
  /** `quorum`: whoever has not answered when the quorum is there is not waited for. Default. `everyone`: as far as time allows. */
  readonly waitFor?: 'quorum' | 'everyone'
  /**
   * What an alarm does. Default: `stop`, since publishing on would widen the fork. A witness that lies can stop us so: ask only
   * those whose word is worth that.
   */
  readonly onAlarm?: 'stop' | 'tell'
  readonly nowSeconds: () => number
  /** A signal that aborts after so many milliseconds. Tests have another. */
  readonly startDeadline?: (timeoutMs: number) => AbortSignal
}

/** The first attempt may be told another size; the second one, if others ask at the same time. */
const MAX_ATTEMPTS = 3

/** What one witness has to say. */
type Answer =
  | { readonly cosignatures: Cosignatures }
  | { readonly alarm: WitnessAlarm }
  | { readonly error: LogError }

interface Task {
  readonly options: CollectorOptions
  readonly cosigners: PolicyCosigners
  readonly checkpoint: string
  readonly parsed: ParsedCheckpoint
  /** Size of the largest tree that we wanted cosigned, this one or a later one. */
  readonly largestSize: () => number
  readonly signal: AbortSignal
}

/**
 * Collects cosignatures by a policy. Witnesses that share a URL are asked once.
 *
 * @throws LogError `invalid_request` when a key of the policy is none
 */
export function createCollector(options: CollectorOptions): CosignatureCollector {
  const { policy, timeoutMs, fail, onAlarm = 'stop', sizes, nowSeconds } = options
  const { startDeadline = (ms: number) => AbortSignal.timeout(ms) } = options
  const cosigners = cosignersOf(policy)
  const urls = [...new Set(policy.witnesses.flatMap(({ url }) => url ?? []))]
  let largest = 0

  return {
    async collect(checkpoint) {
      const parsed = parseCheckpoint(checkpoint)
      largest = Math.max(largest, parsed.treeSize)
      const deadline = startDeadline(timeoutMs)
      const enough = new AbortController()
      const signal = AbortSignal.any([deadline, enough.signal])
      const task = { options, cosigners, checkpoint, parsed, largestSize: () => largest, signal }

      let cosignatures = await ownCosignatures(checkpoint, cosigners, nowSeconds())
      const problems: WitnessProblem[] = []
      const alarms: WitnessAlarm[] = []
      const isEnough = (): boolean =>
        options.waitFor !== 'everyone' &&
        policy.quorum !== undefined &&
        attachCosignatures(checkpoint, cosignatures, policy).outcome.isSatisfied

      await Promise.all(
        (isEnough() ? [] : urls).map(async (url) => {
          const answer = await askUntil(task, url, deadline)
          if (answer === undefined) return
          if ('error' in answer) problems.push({ witness: url, error: answer.error })
          else if ('alarm' in answer) alarms.push(answer.alarm)
          else cosignatures = mergeCosignatures(cosignatures, answer.cosignatures)
          if (isEnough()) enough.abort()
        })
      )
      await sizes.save()

      const result: CollectedCheckpoint = {
        ...attachCosignatures(checkpoint, cosignatures, policy),
        problems: problems.sort((a, b) => urls.indexOf(a.witness) - urls.indexOf(b.witness)),
        alarms: alarms.sort((a, b) => urls.indexOf(a.witness) - urls.indexOf(b.witness))
      }
      if (onAlarm === 'stop') assertNoAlarm(result, parsed)
      if (fail === 'closed') assertSatisfied(result, deadline)
      return result
    }
  }
}

function assertNoAlarm({ alarms }: CollectedCheckpoint, { treeSize }: ParsedCheckpoint): void {
  const [alarm] = alarms
  if (alarm === undefined) return
  const says =
    alarm.kind === 'ahead'
      ? `cosigned a tree of size ${alarm.treeSize}, larger than ours of size ${treeSize}`
      : `cosigned another tree at size ${alarm.treeSize}`
  throw new LogError('integrity', `the witness ${alarm.witness} ${says}`, {
    details: { witness: alarm.witness, treeSize: alarm.treeSize }
  })
}

function assertSatisfied(result: CollectedCheckpoint, deadline: AbortSignal): void {
  const { isSatisfied, operators } = result.outcome
  if (isSatisfied) return
  throw new LogError(
    deadline.aborted ? 'timeout' : 'upstream',
    `no quorum of witnesses: ${describeOutcome(result)}`,
    {
      cause: result.problems[0]?.error,
      details: { cosigned: operators.cosigned.length, threshold: operators.threshold }
    }
  )
}

/**
 * What the witness says, or that there was no time left; undefined when it is not waited for because others were enough. Never
 * rejects.
 */
async function askUntil(
  task: Task,
  url: string,
  deadline: AbortSignal
): Promise<Answer | undefined> {
  const { signal } = task
  let stop = (): void => {}
  const stopped = new Promise<Answer | undefined>((resolve) => {
    stop = () =>
      resolve(
        deadline.aborted ? { error: new LogError('timeout', 'no answer in time') } : undefined
      )
  })
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    // The transport may be slower to give up than we are.
    return await Promise.race([stopped, ask(task, url)])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Never rejects: one witness must not be able to break what the others do. */
async function ask(task: Task, url: string): Promise<Answer> {
  try {
    return await askFrom(task, url)
  } catch (err) {
    return {
      error: isLogError(err) ? err : new LogError('upstream', 'no answer', { cause: err })
    }
  }
}

async function askFrom(task: Task, url: string): Promise<Answer> {
  const { options, parsed, checkpoint, signal } = task
  const { post, sizes } = options
  let oldSize = await sizes.get(url)
  // More than we have: our own memory says that we were rolled back.
  if (oldSize > parsed.treeSize) return ahead(task, url, oldSize)
  for (let attempt = 0; attempt < MAX_ATTEMPTS && !signal.aborted; attempt++) {
    const body = encodeAddCheckpoint({
      oldSize,
      consistencyProof: await proofFor(task, oldSize),
      checkpoint
    })
    const reply = await post(`${url.replace(/\/+$/, '')}/add-checkpoint`, body, signal)
    const told = toldSize(reply)
    if (told === undefined) return readReply(task, url, oldSize, reply)
    if (told > parsed.treeSize) return ahead(task, url, told)
    if (told === oldSize) break // it contradicts itself
    sizes.set(url, told)
    oldSize = told
  }
  throw new LogError('upstream', `does not take the size ${oldSize} that it says it has`)
}

/** No alarm when a later checkpoint of ours came in between. */
function ahead({ largestSize }: Task, witness: string, treeSize: number): Answer {
  return treeSize > largestSize()
    ? { alarm: { kind: 'ahead', witness, treeSize } }
    : { error: new LogError('conflict', `has cosigned our tree of size ${treeSize} meanwhile`) }
}

async function proofFor(
  { options, parsed }: Task,
  oldSize: number
): Promise<readonly Uint8Array[]> {
  if (oldSize === 0 || oldSize === parsed.treeSize) return []
  return options.consistencyProof(oldSize, parsed.treeSize)
}

/**
 * Size of the tree the witness cosigned last, if that is its answer. The protocol wants the media type without parameters; servers
 * that add one mean the same, and taking them for a fork would stop us.
 */
function toldSize({ status, contentType, body }: WitnessReply): number | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  return status === 409 && type === TREE_SIZE_TYPE ? parseTreeSize(body) : undefined
}

async function readReply(
  { options, cosigners, parsed }: Task,
  url: string,
  oldSize: number,
  { status, body }: WitnessReply
): Promise<Answer> {
  const { sizes, nowSeconds } = options
  if (status === 200) {
    const lines = parseSignatureLines(decodeUtf8(body))
    const cosignatures = await readCosignatures(parsed.body, lines, cosigners, nowSeconds())
    if (cosignatures.size === 0) throw new LogError('upstream', 'has cosigned with no known key')
    sizes.set(url, parsed.treeSize)
    return { cosignatures }
  }
  // Some say 409 to another root of the same size. Without an older tree there is nothing that could contradict ours.
  const isSameSize = oldSize === parsed.treeSize
  if (oldSize > 0 && (status === 422 || (status === 409 && isSameSize))) {
    return { alarm: { kind: 'fork', witness: url, treeSize: oldSize } }
  }
  throw new LogError('upstream', `answered ${status}`)
}
