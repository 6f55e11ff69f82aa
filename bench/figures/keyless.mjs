// Complete keyless signings: certificate, timestamp of the signature, log entry of the signature with the certificate.
import { makeIssuer } from '../certificates.mjs'
import { inProcess } from '../generator.mjs'
import { assertGrowth, measureLevel } from '../measure.mjs'
import { rekorSize } from '../server.mjs'
import { writeSignings } from '../signings.mjs'
import { markdownTable, perSecond, ratio, time, verdicts } from '../table.mjs'
import { certificateLimit, signatureLimit } from './certificates.mjs'
import { details, verificationLimit } from './uploads.mjs'

const LEVELS = [1, 16, 64]
const EXPECTED = 1500

export async function keyless(bench) {
  const limits = await bench.limits()
  const issuer = makeIssuer(bench.folder)
  const args = ['--ca-issuers-file', issuer.issuersFile]
  const levels = await bench.withServer({ args }, async (server) => {
    const before = await rekorSize(server)
    const measured = []
    for (const connections of LEVELS) {
      bench.tell(`keyless signings, ${connections} connections`)
      measured.push(
        await measureLevel(bench, server, {
          name: 'keyless signings',
          connections,
          expected: EXPECTED,
          write: (file, count) => writeSignings(file, count, issuer),
          send: (run) => inProcess('load.mjs', { task: 'sign', ...run })
        })
      )
    }
    assertGrowth('entries', (await rekorSize(server)) - before, measured)
    return measured
  })
  // Beside the certificate: the timestamp is signed, the entry is checked and promised.
  const limit =
    1 / (1 / certificateLimit(limits) + 2 / signatureLimit(limits) + 1 / verificationLimit(limits))
  return {
    title: 'Complete keyless signings',
    data: { levels, limit, generator: 'load.mjs' },
    text: [
      markdownTable([
        ['', ...LEVELS.map((connections) => `${connections} conn`)],
        [
          'ours',
          ...levels.map(
            (level) =>
              `${perSecond(level.perSecond)}/s, p50 ${time(level.p50Ms)}, p99 ${time(level.p99Ms)}`
          )
        ],
        ['limit: 5 signatures, 3 checks, all cores', ...levels.map(() => `${perSecond(limit)}/s`)],
        ['ratio', ...levels.map((level) => ratio(level.perSecond / limit))],
        [
          'published for a private stack, 3 × 8 cores',
          ...LEVELS.map((_, i) => (i === 2 ? '106/s' : ''))
        ]
      ]),
      '',
      'Sent by load.mjs, since each request holds what the one before was answered with. Its share of the cores is the work of a',
      'client: reading the certificate out of the answer and writing it into the entry; keys and signatures were made before.',
      '',
      details(levels, 'connections')
    ].join('\n'),
    wishes: verdicts([
      [
        'complete signings/s, at least 400',
        Math.max(...levels.map((level) => level.perSecond)),
        400
      ]
    ]),
    charts: {}
  }
}
