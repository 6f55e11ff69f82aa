// One level of load: warmed up, then measured some times over, and of each column the median.
import { join } from 'node:path'
import { median } from './latencies.mjs'
import { cpuSeconds } from './processes.mjs'
import { writeRequests } from './requests.mjs'

const WARM_UP_SECONDS = 2
/** A run must be long beside the latencies in it: whatever is on its way at its end is not counted. */
const CONNECTIONS_PER_SECOND = 250
/** What the warm-up of a level may use up; it says how many the runs need. */
const WARM_UP_REQUESTS = 8000
/** Prepared beyond what the warm-up makes expect, since a later run may be faster. */
const SPARE_SHARE = 1.4
const SPARE_REQUESTS = 500
/** Runs that used up what was prepared are done again with twice as much. */
const MOST_TRIES = 4

/**
 * @param bench    { generator, seconds, runs, folder }
 * @param server   as startServer gives it
 * @param load     { name, connections, status, make(turn) } for requests that are sent once each, and
 *                 { name, connections, status, make(turn), cycle: count } for those that may come again;
 *                 or `send(file, seconds, count)` and `write(file, count)` in place of the generator's
 * @returns { name, connections, perSecond, p50Ms, p99Ms, maxMs, serverCpuMs, generatorCpuMs, sent, runs }
 */
export async function measureLevel(bench, server, load) {
  const { cycle, write = (file, count) => writeRequests(file, count, load.make) } = load
  const file = join(bench.folder, 'requests')
  let answered = 0
  let prepared = 0
  let tries = 0
  const attempt = async (seconds, count, check) => {
    for (;;) {
      if (cycle === undefined || prepared === 0) write(file, count)
      prepared = count
      const cpuBefore = cpuSeconds(server.pid)
      const result = await send(bench, server, load, { file, seconds, check })
      const cpuAfter = cpuSeconds(server.pid)
      answered += result.requests
      assertGood(load, result)
      const spent = cpuBefore === undefined ? undefined : cpuAfter - cpuBefore
      if (!result.ranOut) return { ...result, serverCpuSeconds: spent }
      if (++tries === MOST_TRIES) throw new Error(`${load.name}: ${count} requests are too few`)
      count *= 2
    }
  }
  // The first run looks at every answer and says how many requests a run can use up. A short bench has a short one.
  const seconds = Math.max(bench.seconds, Math.ceil(load.connections / CONNECTIONS_PER_SECOND))
  const warmUpSeconds = Math.min(WARM_UP_SECONDS, seconds)
  const warmUp = await attempt(warmUpSeconds, cycle ?? load.expected ?? WARM_UP_REQUESTS, true)
  const expected = (warmUp.requests / warmUp.elapsedSeconds) * seconds
  const needed = cycle ?? Math.ceil(expected * SPARE_SHARE) + SPARE_REQUESTS + load.connections
  const runs = []
  for (let run = 0; run < bench.runs; run++) runs.push(await attempt(seconds, needed, false))
  return { ...summaryOf(load, runs), answered }
}

function send(bench, server, load, { file, seconds, check }) {
  const { connections, status, cycle } = load
  const run = { file, authority: server.authority, connections, seconds, status, check }
  return load.send === undefined
    ? bench.generator.send({ ...run, cycle: cycle !== undefined })
    : load.send(run)
}

function assertGood({ name, connections }, { bad, firstBad, refused, timeouts, broken, requests }) {
  const wrong = bad || refused || timeouts || broken
  if (wrong > 0 || requests === 0) {
    throw new Error(
      `${name}, ${connections} connections: of ${requests} answers ${bad || refused} were not as wanted ` +
        `(${firstBad}), ${timeouts} came too late, ${broken} connections broke`
    )
  }
}

function summaryOf({ name, connections }, runs) {
  const of = (pick) => median(runs.map(pick))
  return {
    name,
    connections,
    perSecond: of(({ requests, elapsedSeconds }) => requests / elapsedSeconds),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    maxMs: of(({ maxMs }) => maxMs),
    serverCpuMs: of(({ serverCpuSeconds, requests }) => (serverCpuSeconds * 1000) / requests),
    generatorCpuMs: of(({ cpuSeconds: cpu, requests }) => (cpu * 1000) / requests),
    generatorCpuShare: of(({ cpuSeconds: cpu, elapsedSeconds }) => cpu / elapsedSeconds),
    runs
  }
}

/**
 * What was answered with success must be in the log. Whatever was on its way when a run ended may be there, too: the generator
 * hangs up without waiting.
 *
 * @param levels as measureLevel gives them
 */
export function assertGrowth(what, grown, levels) {
  const answered = levels.reduce((sum, level) => sum + level.answered, 0)
  const onTheirWay = levels.reduce(
    (sum, { connections, runs }) => sum + connections * (runs.length + 1 + MOST_TRIES),
    0
  )
  if (grown < answered || grown > answered + onTheirWay) {
    throw new Error(`${answered} ${what} were promised, the log grew by ${grown}`)
  }
}
