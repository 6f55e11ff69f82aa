// Certificates with SCT: POST /api/v2/signingCert, a token and a key of its own each.
import { makeIssuer, makeSigningRequest } from '../certificates.mjs'
import { assertGrowth, measureLevel } from '../measure.mjs'
import { postBytes } from '../requests.mjs'
import { certificateLogSize } from '../server.mjs'
import { markdownTable, perSecond, ratio, time, verdicts } from '../table.mjs'
import { details, verificationLimit } from './uploads.mjs'

const LEVELS = [1, 8, 64]
/** The warm-up of certificates needs fewer than that of entries, and they take longer to prepare. */
const EXPECTED = 3000

export async function certificates(bench) {
  const limits = await bench.limits()
  const issuer = makeIssuer(bench.folder)
  const args = ['--ca-issuers-file', issuer.issuersFile]
  const levels = await bench.withServer({ args }, async (server) => {
    const before = await certificateLogSize(server)
    const measured = []
    for (const connections of LEVELS) {
      bench.tell(`certificates, ${connections} connections`)
      measured.push(
        await measureLevel(bench, server, {
          name: 'certificates',
          connections,
          status: 200,
          expected: EXPECTED,
          make: () =>
            postBytes(server.authority, '/api/v2/signingCert', makeSigningRequest(issuer).body)
        })
      )
    }
    assertGrowth('certificates', (await certificateLogSize(server)) - before, measured)
    return measured
  })
  const limit = certificateLimit(limits)
  return {
    title: 'Certificates with SCT',
    data: { levels, limit },
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
        ['limit: 3 signatures, 2 checks, all cores', ...levels.map(() => `${perSecond(limit)}/s`)],
        ['ratio', ...levels.map((level) => ratio(level.perSecond / limit))]
      ]),
      '',
      details(levels, 'connections')
    ].join('\n'),
    wishes: verdicts([
      ['certificates/s at 64 connections, at least 1,000', levels.at(-1).perSecond, 1000]
    ]),
    charts: {}
  }
}

/** Token and proof are verified; precertificate, timestamp and certificate are signed. */
export function certificateLimit(limits) {
  return 1 / (3 / signatureLimit(limits) + 2 / verificationLimit(limits))
}

/** Signatures per second of all cores, by the fastest way there is. */
export function signatureLimit({ addonSigns, nodeSigns }) {
  return Math.max(addonSigns ?? 0, nodeSigns)
}
