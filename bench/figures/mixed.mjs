// Small uploads while another process posts packages of 30 MB and attestations of 10 MB at a steady rate.
import { join } from 'node:path'
import { inProcess } from '../generator.mjs'
import { makeAttestation, makePackage } from '../packages.mjs'
import { measureLevel } from '../measure.mjs'
import { postBytes, writeRequests } from '../requests.mjs'
import { fixed, markdownTable, perSecond, time, verdicts } from '../table.mjs'
import { details, uploadLoad } from './uploads.mjs'

const CONNECTIONS = 8
const PACKAGE_MB = 30
const ATTESTATION_MB = 10
const PACKAGE_EVERY_MS = 2000
const ATTESTATION_EVERY_MS = 1000
/** 30 MB are 40 in base64, more than the server takes unless it is told. */
const MAX_BODY_BYTES = 64 * 1024 * 1024
/** Posting takes as much longer to begin as to read what is posted, and ends later. */
const LONGER_MS = 500
/** Long enough for some packages. */
const TIMES_AS_LONG = 3

export async function mixed(bench) {
  const args = ['--max-request-body-bytes', String(MAX_BODY_BYTES)]
  return bench.withServer({ args }, async (server) => {
    const load = uploadLoad(server, CONNECTIONS)
    bench.tell('small uploads alone')
    const alone = await measureLevel(bench, server, load)
    const beside = []
    // Each run has large requests of its own; the first of them, with the warm-up, is not counted either.
    const posting = {
      ...load,
      name: 'small uploads beside large ones',
      send: async (run) => {
        const plan = preparePlan(bench, server, run.seconds)
        const seconds = run.seconds + LONGER_MS / 1000
        const posts = inProcess('load.mjs', {
          task: 'post',
          plan,
          authority: server.authority,
          seconds
        })
        const uploads = bench.generator.send({ ...run, cycle: false })
        const [result, posted] = await Promise.all([uploads, posts])
        for (const { name, bad, firstBad } of posted.sorts) {
          if (bad > 0) throw new Error(`${bad} ${name} were not logged: ${firstBad}`)
        }
        beside.push(posted)
        return result
      }
    }
    bench.tell('small uploads beside large ones')
    const seconds = bench.seconds * TIMES_AS_LONG
    const together = await measureLevel({ ...bench, seconds }, server, posting)
    return report([alone, together], beside.slice(1))
  })
}

function preparePlan(bench, server, seconds) {
  const sorts = [
    { name: 'packages', everyMs: PACKAGE_EVERY_MS, make: () => makePackage(PACKAGE_MB) },
    {
      name: 'attestations',
      everyMs: ATTESTATION_EVERY_MS,
      make: (turn) => makeAttestation(ATTESTATION_MB, turn)
    }
  ]
  return sorts.map(({ name, everyMs, make }) => {
    const file = join(bench.folder, name)
    const count = Math.ceil((seconds * 1000 + LONGER_MS) / everyMs)
    writeRequests(file, count, (turn) =>
      postBytes(server.authority, '/api/v1/log/entries', make(turn))
    )
    return { name, file, everyMs }
  })
}

function report(levels, posted) {
  const [alone, together] = levels
  const large = ['packages', 'attestations'].map((name) => {
    const runs = posted.map(({ sorts }) => sorts.find((sort) => sort.name === name))
    const sum = (pick) => runs.reduce((total, run) => total + pick(run), 0)
    return {
      name,
      everyMs: runs[0].everyMs,
      answered: sum((run) => run.requests),
      leftOut: sum((run) => run.leftOut),
      p50Ms: Math.max(...runs.map((run) => run.p50Ms)),
      maxMs: Math.max(...runs.map((run) => run.maxMs))
    }
  })
  return {
    title: `Small uploads beside large ones, ${CONNECTIONS} connections`,
    data: { levels, large },
    text: [
      markdownTable([
        ['small uploads', 'alone', 'beside large ones'],
        ['per second', perSecond(alone.perSecond), perSecond(together.perSecond)],
        ['p50', time(alone.p50Ms), time(together.p50Ms)],
        ['p99', time(alone.p99Ms), time(together.p99Ms)],
        ['max', time(alone.maxMs), time(together.maxMs)]
      ]),
      '',
      markdownTable([
        [
          'large ones',
          'each',
          'every',
          'answered',
          'not sent, too many on their way',
          'p50',
          'max'
        ],
        ...large.map(({ name, everyMs, answered, leftOut, p50Ms, maxMs }) => [
          name,
          name === 'packages' ? `${PACKAGE_MB} MB` : `${ATTESTATION_MB} MB`,
          `${fixed(everyMs / 1000, 0)} s`,
          String(answered),
          String(leftOut),
          time(p50Ms),
          time(maxMs)
        ])
      ]),
      '',
      `Posted by load.mjs, which took ${fixed((posted.at(-1).cpuSeconds / posted.at(-1).elapsedSeconds) * 100, 0)} % of a core; ` +
        'all of it was made beforehand.',
      '',
      details(levels, 'what')
    ].join('\n'),
    wishes: verdicts([
      ['p99 in ms of small uploads beside large ones, at most 100', together.p99Ms, { atMost: 100 }]
    ]),
    charts: {}
  }
}
