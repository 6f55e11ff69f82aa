// Uploads: POST of distinct hashedrekord entries, answered when they are durable and proven.
import { lineChart } from '../chart.mjs'
import { makeSigned, makeSigners, proposedEntry } from '../entries.mjs'
import { assertGrowth, measureLevel } from '../measure.mjs'
import { postBytes } from '../requests.mjs'
import { rekorSize } from '../server.mjs'
import { fixed, markdownTable, perSecond, ratio, time, verdicts } from '../table.mjs'

/** As measured on this kind of machine, for the table. */
const OTHERS = [
  [
    'Rekor 1.5.3 + Trillian 1.7.3 + MariaDB',
    '5.7/s, p50 181 ms',
    '39/s, p50 211 ms',
    '92/s, p50 616 ms',
    '256: most fail'
  ],
  [
    'rekor-tiles 2.3.0 on files',
    '1/s',
    '7/s, p50 1.00 s',
    '64/s, p50 1.00 s',
    '1,481/s, p50 1.20 s'
  ]
]
const COLUMNS_OF_OTHERS = [1, 8, 64, 2000]

/** A load of entries that were never sent before. */
export function uploadLoad(server, connections) {
  const signers = makeSigners()
  return {
    name: 'uploads',
    connections,
    status: 201,
    make: (turn) =>
      postBytes(server.authority, '/api/v1/log/entries', proposedEntry(makeSigned(signers, turn)))
  }
}

export async function uploads(bench) {
  const limits = await bench.limits()
  const levels = await bench.withServer({}, async (server) => {
    const before = await rekorSize(server)
    const measured = []
    for (const connections of bench.connections) {
      bench.tell(`uploads, ${connections} connections`)
      measured.push(await measureLevel(bench, server, uploadLoad(server, connections)))
    }
    assertGrowth('entries', (await rekorSize(server)) - before, measured)
    return measured
  })
  const limit = verificationLimit(limits)
  return {
    title: 'Uploads',
    data: { levels, limit },
    text: [
      byConnections(levels, limit),
      '',
      `Limit: ${limits.threads} threads at once that only decode keys and verify, ${perSecond(limit)}/s with the native addon; ` +
        `node:crypto ${perSecond(limits.nodeVerifies)}/s, noble ${perSecond(limits.nobleVerifies)}/s. ` +
        `Durable commits: ${perSecond(limits.durable.batchesPerSecond)}/s of ${limits.durable.rowsPerBatch} rows each.`,
      '',
      details(levels, 'connections')
    ].join('\n'),
    wishes: verdicts(wishesOf(levels, limit)),
    charts: { 'uploads-over-connections': chart(levels, limit) }
  }
}

/** Verifications per second of all cores, by the fastest way there is. */
export function verificationLimit(limits) {
  return limits.addonVerifies ?? limits.nodeVerifies
}

function byConnections(levels, limit) {
  const columns = levels.map(({ connections }) => connections)
  const others = OTHERS.map(([name, ...cells]) => [
    name,
    ...columns.map((connections) => cells[COLUMNS_OF_OTHERS.indexOf(connections)] ?? '')
  ])
  return markdownTable([
    ['', ...columns.map((connections) => `${connections.toLocaleString('en')} conn`)],
    [
      'ours',
      ...levels.map(
        (level) =>
          `${perSecond(level.perSecond)}/s, p50 ${time(level.p50Ms)}, p99 ${time(level.p99Ms)}`
      )
    ],
    ['limit: decode and verify, all cores', ...levels.map(() => `${perSecond(limit)}/s`)],
    ['ratio', ...levels.map((level) => ratio(level.perSecond / limit))],
    ...others
  ])
}

/** A generator that is this busy may be what is measured. */
const BUSY_SHARE = 0.9

/** What each level cost. */
export function details(levels, first) {
  const table = markdownTable([
    [
      first,
      'per second',
      'p50',
      'p99',
      'max',
      'server CPU ms each',
      'generator CPU ms each',
      'generator CPU'
    ],
    ...levels.map((level) => [
      first === 'connections' ? level.connections.toLocaleString('en') : level.name,
      perSecond(level.perSecond),
      time(level.p50Ms),
      time(level.p99Ms),
      time(level.maxMs),
      fixed(level.serverCpuMs, 3),
      fixed(level.generatorCpuMs, 3),
      `${fixed(level.generatorCpuShare * 100, 0)} % of a core`
    ])
  ])
  const isBusy = levels.some(({ generatorCpuShare }) => generatorCpuShare > BUSY_SHARE)
  return isBusy ? `${table}\n\nThe generator was at its own limit: the server may do more.` : table
}

function wishesOf(levels, limit) {
  const at = (connections) => levels.find((level) => level.connections === connections)
  const [one, many, most] = [at(1), at(64), at(2000)]
  return [
    ...(one === undefined
      ? []
      : [['p50 in ms at 1 connection, at most 3', one.p50Ms, { atMost: 3 }]]),
    ...(many === undefined
      ? []
      : [
          ['uploads/s at 64 connections, at least 4,000', many.perSecond, 4000],
          ['p99 in ms at 64 connections, at most 40', many.p99Ms, { atMost: 40 }],
          ['share of the limit at 64 connections, at least 0.5', many.perSecond / limit, 0.5]
        ]),
    ...(most === undefined
      ? []
      : [['p99 in ms at 2,000 connections, at most 1,000, no error', most.p99Ms, { atMost: 1000 }]])
  ]
}

function chart(levels, limit) {
  return lineChart({
    title: 'Uploads over connections',
    xLabel: 'connections',
    xs: levels.map(({ connections }) => connections),
    panels: [
      {
        label: 'uploads per second',
        series: [
          { name: 'ours', values: levels.map((level) => level.perSecond) },
          { name: 'limit', values: levels.map(() => limit), dashed: true }
        ]
      },
      {
        label: 'milliseconds until the answer',
        series: [
          { name: 'p50', values: levels.map((level) => level.p50Ms) },
          { name: 'p99', values: levels.map((level) => level.p99Ms) }
        ]
      }
    ]
  })
}
