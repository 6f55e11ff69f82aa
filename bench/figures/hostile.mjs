// Small uploads while another process posts hostile archives, one after the other.
import { join } from 'node:path'
import { hostileArchives } from '../archives.mjs'
import { inProcess } from '../generator.mjs'
import { measureLevel } from '../measure.mjs'
import { residentBytes } from '../processes.mjs'
import { postBytes, writeRequests } from '../requests.mjs'
import { fixed, markdownTable, megabytes, perSecond, time, verdicts } from '../table.mjs'
import { details, uploadLoad } from './uploads.mjs'

const CONNECTIONS = 8
/** 30 MB are 40 in base64, more than the server takes unless it is told. */
const MAX_BODY_BYTES = 64 * 1024 * 1024
/** One of each while this passes, small and large ones apart, at even distances. */
const ROUND_MS = 10_000
/** Posting takes as much longer to begin as to read what is posted, and ends later. */
const LONGER_MS = 500

export async function hostile(bench) {
  const plan = preparePlan(bench)
  const args = ['--max-request-body-bytes', String(MAX_BODY_BYTES)]
  return bench.withServer({ args }, async (server) => {
    const load = uploadLoad(server, CONNECTIONS)
    bench.tell('small uploads alone')
    const alone = await measureLevel(bench, server, load)
    const beside = []
    const posting = {
      ...load,
      name: 'small uploads beside hostile archives',
      send: async (run) => {
        const posts = inProcess('load.mjs', {
          task: 'post',
          plan: plan(server),
          authority: server.authority,
          seconds: run.seconds + LONGER_MS / 1000
        })
        const uploads = bench.generator.send({ ...run, cycle: false })
        const [result, posted] = await Promise.all([uploads, posts])
        for (const { name, bad, firstBad } of posted.sorts) {
          if (bad > 0) throw new Error(`${bad} times "${name}" failed: ${firstBad}`)
        }
        beside.push(posted)
        return result
      }
    }
    bench.tell('small uploads beside hostile archives')
    const seconds = Math.max(bench.seconds, ROUND_MS / 1000)
    const together = await measureLevel({ ...bench, seconds }, server, posting)
    return report([alone, together], beside.slice(1), residentBytes(server.pid))
  })
}

/** Each is made once and sent again and again: of what is refused nothing is remembered. */
function preparePlan(bench) {
  bench.tell('making hostile archives')
  const made = hostileArchives()
    .map((archive) => ({ ...archive, body: archive.make() }))
    .filter(({ body }) => body !== undefined)
  return (server) =>
    [false, true].flatMap((isLarge) => {
      const some = made.filter((archive) => archive.isLarge === isLarge)
      return some.map(({ name, body }, i) => {
        const file = join(bench.folder, `${isLarge ? 'large' : 'small'}-${i}`)
        writeRequests(file, 1, () => postBytes(server.authority, '/api/v1/log/entries', body))
        const firstMs = (i * ROUND_MS) / some.length
        return { name, file, everyMs: ROUND_MS, firstMs, isHostile: true }
      })
    })
}

function report(levels, posted, resident) {
  const [alone, together] = levels
  const archives = posted[0].sorts.map(({ name }) => {
    const runs = posted.map(({ sorts }) => sorts.find((sort) => sort.name === name))
    const answered = runs.filter(({ requests }) => requests > 0)
    return {
      name,
      posted: answered.reduce((sum, { requests }) => sum + requests, 0),
      statuses: [...new Set(answered.flatMap(({ statuses }) => Object.keys(statuses)))].sort(),
      maxMs: answered.length === 0 ? NaN : Math.max(...answered.map(({ maxMs }) => maxMs)),
      said: answered[0]?.firstBody ?? ''
    }
  })
  return {
    title: `Small uploads beside hostile archives, ${CONNECTIONS} connections`,
    data: { levels, archives, resident },
    text: [
      markdownTable([
        ['small uploads', 'alone', 'beside hostile archives'],
        ['per second', perSecond(alone.perSecond), perSecond(together.perSecond)],
        ['p50', time(alone.p50Ms), time(together.p50Ms)],
        ['p99', time(alone.p99Ms), time(together.p99Ms)],
        ['max', time(alone.maxMs), time(together.maxMs)]
      ]),
      '',
      markdownTable([
        ['hostile archive', 'posted', 'status', 'longest'],
        ...archives.map(({ name, posted: times, statuses, maxMs }) => [
          name,
          String(times),
          statuses.join(', '),
          time(maxMs)
        ])
      ]),
      '',
      `One of each every ${fixed(ROUND_MS / 1000, 0)} s, none of them a failure of the server. RSS of the server ${megabytes(resident.now)}, ` +
        `at most ${megabytes(resident.peak)}.`,
      '',
      details(levels, 'what')
    ].join('\n'),
    wishes: verdicts([
      [
        'p99 in ms of small uploads beside hostile archives, at most 100',
        together.p99Ms,
        { atMost: 100 }
      ]
    ]),
    charts: {}
  }
}
