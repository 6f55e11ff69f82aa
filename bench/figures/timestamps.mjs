// Timestamps: distinct requests with a nonce each, certificates asked for.
import { randomBytes } from 'node:crypto'
import { measureLevel } from '../measure.mjs'
import { postBytes } from '../requests.mjs'
import { markdownTable, perSecond, ratio, time, verdicts } from '../table.mjs'
import { makeTimestampRequest } from '../timestamps.mjs'
import { signatureLimit } from './certificates.mjs'
import { details } from './uploads.mjs'

const LEVELS = [1, 16, 64]
const PATH = '/api/v1/timestamp'
const TYPE = 'application/timestamp-query'
const EXPECTED = 20_000

export async function timestamps(bench) {
  const limit = signatureLimit(await bench.limits())
  const levels = await bench.withServer({}, async (server) => {
    const { status } = await fetch(`${server.url}${PATH}`, {
      method: 'POST',
      headers: { 'content-type': TYPE },
      body: makeTimestampRequest(randomBytes(32))
    })
    if (status !== 200 && status !== 201) throw new Error(`a timestamp is answered with ${status}`)
    const measured = []
    for (const connections of LEVELS) {
      bench.tell(`timestamps, ${connections} connections`)
      measured.push(
        await measureLevel(bench, server, {
          name: 'timestamps',
          connections,
          status,
          expected: EXPECTED,
          make: () => postBytes(server.authority, PATH, makeTimestampRequest(randomBytes(32)), TYPE)
        })
      )
    }
    return measured
  })
  return {
    title: 'Timestamps',
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
        ['limit: 1 signature, all cores', ...levels.map(() => `${perSecond(limit)}/s`)],
        ['ratio', ...levels.map((level) => ratio(level.perSecond / limit))],
        ['timestamp-authority 2.1.3', '', '1,773/s, p50 8.8 ms', '']
      ]),
      '',
      details(levels, 'connections')
    ].join('\n'),
    wishes: verdicts([
      ['timestamps/s at 16 connections, at least 3,500', levels[1].perSecond, 3500]
    ]),
    charts: {}
  }
}
