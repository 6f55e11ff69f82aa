import type { Validity } from './contract.js'
import type { DocumentWindow } from './document-reader.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { error, type TrustFinding, warning } from './finding.js'

/** Whether something is to be believed at a time. Without a start it is not: clients refuse the entry. */
export function isOpenAt(
  { startSeconds, endSeconds }: DocumentWindow,
  nowSeconds: number
): boolean {
  if (startSeconds === undefined || startSeconds > nowSeconds) return false
  return endSeconds === undefined || endSeconds >= nowSeconds
}

/**
 * What is wrong with a window, beside ours if it is one of ours. A missing start has been told by the reader.
 *
 * @param where of the window
 * @param ours undefined for what is not of this server
 */
export function checkWindow(
  where: string,
  { startSeconds, endSeconds }: DocumentWindow,
  { ours, nowSeconds }: { readonly ours: Validity | undefined; readonly nowSeconds: number }
): readonly TrustFinding[] {
  if (startSeconds !== undefined && endSeconds !== undefined && endSeconds < startSeconds) {
    return [error(where, 'ends before it starts: take both times from this server')]
  }
  return [
    ...checkStart(`${where}.start`, startSeconds, { ours, nowSeconds }),
    ...(ours === undefined ? [] : checkEnd(`${where}.end`, endSeconds, ours))
  ]
}

function checkStart(
  where: string,
  startSeconds: number | undefined,
  { ours, nowSeconds }: { readonly ours: Validity | undefined; readonly nowSeconds: number }
): readonly TrustFinding[] {
  if (startSeconds === undefined) return []
  const isLate = ours !== undefined && startSeconds > ours.startSeconds
  const remedy = isLate ? `: write ${formatUtcTime(ours.startSeconds)}, as this server does` : ''
  if (startSeconds > nowSeconds) {
    const advice = isLate ? remedy : ': wait until then, or look at the clock of this machine'
    return [error(where, `is ${formatUtcTime(startSeconds)}, which is in the future${advice}`)]
  }
  if (!isLate) return []
  return [
    error(
      where,
      `is ${formatUtcTime(startSeconds)}, so that what was signed before is refused${remedy}`
    )
  ]
}

function checkEnd(
  where: string,
  endSeconds: number | undefined,
  ours: Validity
): readonly TrustFinding[] {
  const theirs = endSeconds ?? Infinity
  const own = ours.endSeconds ?? Infinity
  if (theirs < own) {
    const remedy =
      own === Infinity ? 'leave it out, as this server does' : `write ${formatUtcTime(own)}`
    return [
      error(
        where,
        `is ${formatUtcTime(theirs)}, so that what was signed after is refused: ${remedy}`
      )
    ]
  }
  if (theirs === own) return []
  const found =
    theirs === Infinity
      ? `is missing, though this was replaced at ${formatUtcTime(own)}`
      : `is ${formatUtcTime(theirs)}, later than here`
  return [warning(where, `${found}: write ${formatUtcTime(own)}, or fetch the file again`)]
}
