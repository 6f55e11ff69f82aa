// `sigstead verify` over a log that lies on the disk: everything that is stored, checked against the bytes of the entries. Beside it
// what bounds it: each entry has a promise, whose signature takes most of the time.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { nativeCrypto } from '../../dist/keys/native-crypto.js'
import { parsePublicKey } from '../../dist/keys/public-key.js'
import { buildLog } from '../bulk.mjs'
import { median } from '../latencies.mjs'
import { withFolder } from '../processes.mjs'
import { runSigstead } from '../server.mjs'
import { count, fixed, markdownTable, perSecond, verdicts } from '../table.mjs'

/** Enough that starting the threads is a small part. */
const ENTRIES = 200_000
const WANTED = 50_000
const LIMIT_SECONDS = 2
const BATCH = 512

export async function verify(bench) {
  const promises = await limitOfPromises()
  const seconds = await withFolder(bench.directory, async (scratch) => {
    bench.tell(`a log of ${count(ENTRIES)} entries`)
    const { dataDir } = await buildLog(join(scratch, 'log'), ENTRIES)
    const runs = []
    for (let run = 0; run < bench.runs; run++) {
      bench.tell('  verify')
      runs.push(await timeVerify(dataDir))
    }
    return median(runs)
  })
  const rate = ENTRIES / seconds
  return {
    title: 'Verify',
    data: { entries: ENTRIES, seconds, promisesPerSecond: promises },
    text: markdownTable([
      ['', `${count(ENTRIES)} entries`],
      ['entries checked', `${perSecond(rate)}/s`],
      ['limit: signatures of one key, all cores', `${perSecond(promises)}/s`],
      ['ratio', `${fixed(rate / promises, 2)} ×`]
    ]),
    wishes: verdicts([['entries/s, at least 50,000', rate, WANTED]])
  }
}

async function timeVerify(dataDir) {
  const started = performance.now()
  const output = await runSigstead(['verify', '--data-dir', dataDir], { timeout: 600_000 })
  const seconds = (performance.now() - started) / 1000
  if (!output.includes('all good')) throw new Error(`verify says:\n${output}`)
  return seconds
}

/** Signatures of one key over digests, on all cores, with nothing else to do. */
async function limitOfPromises() {
  const native = nativeCrypto()
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = parsePublicKey(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })))
  const checks = Array.from({ length: BATCH }, () => {
    const data = randomBytes(32)
    const digest = new Uint8Array(createHash('sha256').update(data).digest())
    return {
      key,
      hashName: 'sha256',
      digest,
      signature: new Uint8Array(sign('sha256', data, privateKey))
    }
  })
  if (native === undefined) throw new Error('the native addon is not built')
  await native.areGood(checks) // the key is used enough from here on to have its table
  const ends = performance.now() + LIMIT_SECONDS * 1000
  const started = performance.now()
  let done = 0
  const lane = async () => {
    while (performance.now() < ends) {
      const verdicts = await native.areGood(checks)
      if (verdicts.includes(false)) throw new Error('a good signature was refused')
      done += BATCH
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, lane))
  return done / ((performance.now() - started) / 1000)
}
