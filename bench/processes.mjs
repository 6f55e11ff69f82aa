// What processes take, told by /proc; undefined where there is none. And an end for every process and
// every folder that was made.
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

// Every Linux that Node runs on counts CPU time in hundredths of a second.
const TICKS_PER_SECOND = 100
const STOP_MS = 20_000

const running = new Set()
const folders = new Set()

/** A process of ours: ended, by its pid, when this one ends early. */
export function watch(child) {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => process.exit(1))
}
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) removeFolder(folder)
})

/** Runs `work` with a new folder, which is gone afterwards. */
export async function withFolder(directory, work) {
  const folder = mkdtempSync(join(directory, 'sigstead-bench-'))
  folders.add(folder)
  try {
    return await work(folder)
  } finally {
    folders.delete(folder)
    removeFolder(folder)
  }
}

// What is being killed may still write.
function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
}

/** Asks a process to end, and after a while makes it. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await once(child, 'exit')
  clearTimeout(late)
}

/** User and system seconds of a process and its children, all their threads. */
export function cpuSeconds(pid) {
  return sumOf(pid, (one) => {
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ').at(-1).split(' ')
    // Fields 14 and 15 of proc(5).
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  })
}

/** Resident bytes of a process and its children, now and at most. Pages they share count for each. */
export function residentBytes(pid) {
  const read = (name) =>
    sumOf(pid, (one) => {
      const status = readFileSync(`/proc/${one}/status`, 'utf8')
      return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
    })
  return { now: read('VmRSS'), peak: read('VmHWM') }
}

function sumOf(pid, read) {
  try {
    return family(pid).reduce((sum, one) => sum + read(one), 0)
  } catch {
    return undefined
  }
}

function family(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean)
  )
  return [pid, ...children.flatMap((child) => family(Number(child)))]
}

/** Waits until `isThere` gives something. */
export async function waitFor(isThere, everyMs, limitMs, what) {
  const deadline = performance.now() + limitMs
  for (;;) {
    const value = await isThere()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`${what} did not come in ${limitMs} ms`)
    await sleep(everyMs)
  }
}
