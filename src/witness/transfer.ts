import { equalBytes } from '../encoding/bytes.js'
import { isLogError, LogError } from '../errors.js'
import { parseCheckpoint, parseCheckpointBody } from '../note/checkpoint.js'
import { parseSignatureLines } from '../note/signature-lines.js'
import { formatVerifierKey, type VerifierKey } from '../note/verifier-key.js'
import type { WitnessPolicy } from '../note/witness-policy.js'
import {
  attachCosignatures,
  cosignersOf,
  mergeCosignatures,
  ownCosignatures,
  readCosignatures
} from './attach-cosignatures.js'
import type { CosignedCheckpoint, Witness } from './contract.js'
import type { CosignedSizes } from './cosigned-sizes.js'
import {
  type AnswerFile,
  encodeAnswerFile,
  encodeRequestFile,
  parseAnswerFile,
  parseRequestFile
} from './transfer-files.js'

export interface ExportOptions {
  readonly policy: WitnessPolicy
  /** Name, within the policy, of the witness that is asked. */
  readonly witness: string
  /** Signed by us. */
  readonly checkpoint: string
  /** See CollectorOptions. */
  readonly consistencyProof: (
    firstSize: number,
    secondSize: number
  ) => Promise<readonly Uint8Array[]>
  /** What each witness cosigned last. */
  readonly sizes: CosignedSizes
}

/**
 * The file that asks a witness to cosign our checkpoint, from the size that it cosigned last as far as we know.
 *
 * @throws LogError `not_found` when the policy has no such witness, `integrity` when it has cosigned a larger tree than this
 */
export async function exportRequest(options: ExportOptions): Promise<Uint8Array> {
  const { policy, witness, checkpoint, consistencyProof, sizes } = options
  const key = policy.witnesses.find(({ name }) => name === witness)?.key
  if (key === undefined) {
    throw new LogError('not_found', `the policy has no witness ${JSON.stringify(witness)}`)
  }
  const { treeSize } = parseCheckpoint(checkpoint)
  const oldSize = await sizes.get(formatVerifierKey(key))
  if (oldSize > treeSize) throw ahead(key, oldSize, treeSize)
  const isProved = oldSize > 0 && oldSize < treeSize
  return encodeRequestFile({
    witness: key,
    oldSize,
    consistencyProof: isProved ? await consistencyProof(oldSize, treeSize) : [],
    checkpoint
  })
}

/**
 * Answers a request that came as a file, as the witness would over HTTP. That the log asked from another size is an answer too: it
 * has to know, to ask again.
 *
 * @throws LogError `forbidden` when another witness is asked; otherwise as Witness.addCheckpoint
 */
export async function answerRequest(
  witness: Pick<Witness, 'key' | 'addCheckpoint'>,
  file: Uint8Array
): Promise<Uint8Array> {
  const request = parseRequestFile(file)
  const { key } = witness
  if (formatVerifierKey(request.witness) !== formatVerifierKey(key)) {
    throw new LogError(
      'forbidden',
      `asks the witness "${request.witness.name}", and this is "${key.name}" with its key`
    )
  }
  return encodeAnswerFile(await answerOf(witness, request.body, request.parsed))
}

async function answerOf(
  { key, addCheckpoint }: Pick<Witness, 'key' | 'addCheckpoint'>,
  requestBody: Uint8Array,
  { origin, body }: { readonly origin: string; readonly body: string }
): Promise<AnswerFile> {
  try {
    const signatures = parseSignatureLines(await addCheckpoint(requestBody))
    return { kind: 'cosigned', witness: key, body, signatures }
  } catch (err) {
    const treeSize = isLogError(err, 'conflict') ? err.details.treeSize : undefined
    if (typeof treeSize !== 'number') throw err
    return { kind: 'conflict', witness: key, origin, treeSize }
  }
}

export interface ImportOptions {
  readonly policy: WitnessPolicy
  /** Of our log. */
  readonly origin: string
  /** Our signed checkpoint of that size, with the cosignatures it has; undefined where we never published one. */
  readonly checkpointAt: (treeSize: number) => Promise<string | undefined>
  /** Of our largest checkpoint. */
  readonly latestTreeSize: number
  readonly sizes: CosignedSizes
  readonly nowSeconds: () => number
}

/**
 * Takes the answer of a witness that came as a file: verifies the cosignature, and adds it to the checkpoint of ours that it is on.
 *
 * @throws LogError `verification_failed` when the witness is not one of the policy, the cosignature is not good or missing, or the
 *   answer is about another log; `not_found` when we have no checkpoint of that size; `conflict` when the witness had cosigned
 *   another size than we thought (`details.treeSize`): export again; `integrity` when it has cosigned another tree of that size,
 *   or a larger one than ours: stop signing
 */
export async function importAnswer(
  options: ImportOptions,
  file: Uint8Array
): Promise<CosignedCheckpoint> {
  const answer = parseAnswerFile(file)
  const { policy, origin, sizes } = options
  const vkey = formatVerifierKey(answer.witness)
  if (!policy.witnesses.some(({ key }) => formatVerifierKey(key) === vkey)) {
    throw failed(`"${answer.witness.name}" with its key is not a witness of the policy`)
  }
  const answered = answer.kind === 'cosigned' ? parseCheckpointBody(answer.body) : answer
  if (answered.origin !== origin) throw failed(`is about the log "${answered.origin}"`)

  if (answer.kind === 'conflict') {
    const { witness, treeSize } = answer
    if (treeSize > options.latestTreeSize) throw ahead(witness, treeSize, options.latestTreeSize)
    sizes.set(vkey, treeSize)
    await sizes.save()
    throw new LogError(
      'conflict',
      `"${witness.name}" has cosigned a tree of size ${treeSize} last`,
      {
        details: { treeSize }
      }
    )
  }
  const cosigned = await attachAnswer(options, answer, answered.treeSize)
  // A late answer is about an older tree than the one it cosigned since.
  if (answered.treeSize > (await sizes.get(vkey))) {
    sizes.set(vkey, answered.treeSize)
    await sizes.save()
  }
  return cosigned
}

async function attachAnswer(
  { policy, checkpointAt, latestTreeSize, nowSeconds }: ImportOptions,
  { witness, body, signatures }: Extract<AnswerFile, { readonly kind: 'cosigned' }>,
  treeSize: number
): Promise<CosignedCheckpoint> {
  const cosigners = cosignersOf(policy)
  const read = await readCosignatures(body, signatures, cosigners, nowSeconds())
  const { name } = policy.witnesses.find(
    ({ key }) => formatVerifierKey(key) === formatVerifierKey(witness)
  ) as { readonly name: string } // looked for above
  if (!read.has(name)) throw failed(`has no cosignature of "${witness.name}"`)

  // From here on the witness did sign this text: what is wrong with it is wrong with us.
  const ours = await checkpointAt(treeSize)
  if (ours === undefined) {
    if (treeSize > latestTreeSize) throw ahead(witness, treeSize, latestTreeSize)
    throw new LogError('not_found', `no checkpoint of ours has size ${treeSize}`)
  }
  const parsed = parseCheckpoint(ours)
  if (!equalBytes(parsed.rootHash, parseCheckpointBody(body).rootHash)) {
    throw new LogError(
      'integrity',
      `"${witness.name}" has cosigned another tree of size ${treeSize}`,
      {
        details: { witness: witness.name, treeSize }
      }
    )
  }
  // The same tree with other extension lines, as when the log was frozen: nothing that this cosignature could be added to.
  if (parsed.body !== body) {
    throw new LogError('not_found', `our checkpoint of size ${treeSize} has another text by now`)
  }
  const known = await ownCosignatures(ours, cosigners, nowSeconds())
  return attachCosignatures(ours, mergeCosignatures(known, read), policy)
}

function ahead({ name }: VerifierKey, treeSize: number, ourSize: number): LogError {
  return new LogError(
    'integrity',
    `the witness "${name}" has cosigned a tree of size ${treeSize}, larger than ours of size ${ourSize}`,
    { details: { witness: name, treeSize } }
  )
}

function failed(problem: string): LogError {
  return new LogError('verification_failed', `witness answer: ${problem}`)
}
