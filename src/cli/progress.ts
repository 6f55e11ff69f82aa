import type { Output } from './command.js'

export interface ProgressBar {
  /** @param total undefined where only the end will tell */
  show(label: string, done: number, total: number | undefined): void
  /** Takes the bar off the screen. */
  clear(): void
}

const BAR_CELLS = 24
/** Fast enough to look alive, slow enough to cost nothing. */
const INTERVAL_MS = 100
const LABEL_COLUMNS = 16

/** A bar on a terminal, redrawn in place; nothing where the output is not one. */
export function createProgressBar(output: Output, monotonicMs: () => number): ProgressBar {
  if (output.isTTY !== true) return { show: () => undefined, clear: () => undefined }
  let lastMs = Number.NEGATIVE_INFINITY
  let lastLabel = ''
  let visible = false
  return {
    show(label, done, total) {
      const nowMs = monotonicMs()
      if (label === lastLabel && nowMs - lastMs < INTERVAL_MS) return
      lastMs = nowMs
      lastLabel = label
      visible = true
      // Back to the start of the line, and what was there erased.
      output.write(`\r\u001b[K${label.padEnd(LABEL_COLUMNS)} ${drawBar(done, total)}`)
    },
    clear() {
      if (visible) output.write('\r\u001b[K')
      visible = false
    }
  }
}

function drawBar(done: number, total: number | undefined): string {
  if (total === undefined) return String(done)
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const full = Math.floor(share * BAR_CELLS)
  const percent = String(Math.floor(share * 100)).padStart(3)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] ${percent} % ${done} of ${total}`
}
