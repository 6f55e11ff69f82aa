// What the addon of native/ does beside what there is without it: verification over a digest, signing, hashing of trees.
//   node bench/native.mjs [SECONDS] [CURVE]
// Prints a table, and with --json one object. Nothing else should run on the machine; its load is printed with the figures.
import { createHash, createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { performance } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { p256, p384, p521 } from '@noble/curves/nist.js'

const BATCH = 64
const KEYS = 64
/** Batches on their way at once, so that the pool has work while the main thread handles the last one. */
const BATCHES_AT_ONCE = 2

const given = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const seconds = Number(given[0] ?? 2)
const curve = given[1] ?? 'P-256'
const noble = { 'P-256': p256, 'P-384': p384, 'P-521': p521 }[curve]
const addon = createRequire(import.meta.url)('../native/build/Release/sigstead_crypto.node')

const items = Array.from({ length: KEYS }, (_, i) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve })
  const data = Buffer.from(`artifact ${i}`)
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return {
    data,
    spki,
    point: spki.subarray(-(1 + 2 * noble.Point.Fp.BYTES)),
    digest: createHash('sha256').update(data).digest(),
    signature: sign('sha256', data, privateKey),
    publicKey,
    handle: addon.loadPublicKey(spki)
  }
})
const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve })
const signer = addon.loadPrivateKey(privateKey.export({ type: 'pkcs8', format: 'der' }))
const message = Buffer.alloc(700, 'entry')
const signOnPool = promisify(sign)

function must(isGood) {
  if (!isGood) throw new Error('must verify')
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** Frees what the last measurement left, which the next would pay for. */
async function settle() {
  for (let turn = 0; turn < 5; turn++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Times per second that `work` is done, one after the other on this thread, and CPU of the process per time. */
async function measure(work) {
  await settle()
  for (let turn = 0; turn < 16; turn++) work(items[turn % KEYS])
  const cpu = process.cpuUsage()
  const main = mainThreadMicroseconds()
  const begin = performance.now()
  const deadline = begin + seconds * 1000
  let turn = 0
  while (performance.now() < deadline) work(items[turn++ % KEYS])
  return figures(turn, begin, cpu, main)
}

/** The same for batches: `work` does `BATCH` of them and gives a promise. */
async function measureBatches(work) {
  await settle()
  await work()
  const cpu = process.cpuUsage()
  const main = mainThreadMicroseconds()
  const begin = performance.now()
  const deadline = begin + seconds * 1000
  let turns = 0
  const lane = async () => {
    while (performance.now() < deadline) {
      await work()
      turns++
    }
  }
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, lane))
  return figures(turns * BATCH, begin, cpu, main)
}

/** CPU that the main thread has had, where Linux tells it. */
function mainThreadMicroseconds() {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(
      ' '
    )
    return Number(nanoseconds) / 1000
  } catch {
    return NaN
  }
}

/** Per second of the clock; and per time, CPU of all threads and of this one. */
function figures(times, begin, cpu, main) {
  const elapsed = (performance.now() - begin) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return {
    perSecond: times / elapsed,
    cpuMicroseconds: (user + system) / times,
    mainMicroseconds: (mainThreadMicroseconds() - main) / times
  }
}

const batch = Array.from({ length: BATCH }, (_, i) => items[i % KEYS])
const digests = batch.map(({ digest }) => digest)
const signatures = batch.map(({ signature }) => signature)
const messages = batch.map(() => message)
const lanes = availableParallelism()
const loadBefore = loadavg()[0]

const results = {
  'verify: addon, decode and verify, one thread': await measure(({ spki, digest, signature }) => {
    must(addon.verifyDigest(addon.loadPublicKey(spki), digest, signature))
  }),
  [`verify: addon, decode, batches of ${BATCH}, ${lanes} lanes`]: await measureBatches(async () => {
    const handles = batch.map(({ spki }) => addon.loadPublicKey(spki))
    must((await addon.verifyDigests(handles, digests, signatures, lanes)).every((one) => one === 1))
  }),
  // Keys that were used often have a table (P-256), and these are by now.
  'verify: addon, key used often, one thread': await measure(({ handle, digest, signature }) => {
    addon.makeTable(handle)
    must(addon.verifyDigest(handle, digest, signature))
  }),
  'make the table of a key': await measure(({ spki }) => {
    addon.makeTable(addon.loadPublicKey(spki))
  }),
  [`verify: addon, keys used often, batches of ${BATCH}, ${lanes} lanes`]: await measureBatches(
    async () => {
      for (const { handle } of items) addon.makeTable(handle) // some were lost to the line above
      const handles = batch.map(({ handle }) => handle)
      const verdicts = await addon.verifyDigests(handles, digests, signatures, lanes)
      must(verdicts.every((one) => one === 1))
    }
  ),
  'verify: node:crypto over data, decode and verify': await measure(({ spki, data, signature }) => {
    must(
      verify('sha256', data, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature)
    )
  }),
  'verify: node:crypto over data, decoded key': await measure(({ publicKey, data, signature }) => {
    must(verify('sha256', data, publicKey, signature))
  }),
  'verify: noble over a digest': await measure(({ point, digest, signature }) => {
    must(noble.verify(signature, digest, point, { prehash: false, lowS: false, format: 'der' }))
  }),
  'decode: addon': await measure(({ spki }) => addon.loadPublicKey(spki)),
  'decode: node:crypto': await measure(({ spki }) => {
    createPublicKey({ key: spki, format: 'der', type: 'spki' })
  }),
  'sign: addon, one thread': await measure(() => addon.signMessage(signer, 'sha256', message)),
  [`sign: addon, batches of ${BATCH}, ${lanes} lanes`]: await measureBatches(() =>
    addon.signMessages(signer, 'sha256', messages, lanes)
  ),
  'sign: node:crypto, one thread': await measure(() => sign('sha256', message, privateKey)),
  [`sign: node:crypto on the pool, ${BATCH} at once`]: await measureBatches(() =>
    Promise.all(messages.map((one) => signOnPool('sha256', one, { key: privateKey })))
  )
}

// Memory as it is in the server: slices of larger buffers.
const tile = new Uint8Array(256 * 32).fill(1)
const output = new Uint8Array(8192).subarray(32, 64)
const leaf = new Uint8Array(8192).subarray(0, 700)
const pair = new Uint8Array(65)
Object.assign(results, {
  'hash: leaf of 700 bytes, addon': await measure(() => addon.hashLeaf(leaf, output)),
  'hash: leaf of 700 bytes, node:crypto': await measure(() => hash('sha256', leaf, 'buffer')),
  'hash: node of a tree, addon': await measure(() => addon.hashSubtree(tile, 0, 2, output)),
  'hash: node of a tree, node:crypto': await measure(() => hash('sha256', pair, 'buffer')),
  'hash: 17 nodes up to the root, addon': await measure(() => addon.hashChain(tile, 17, 5, output)),
  'hash: 255 nodes of a tile, addon': await measure(() => addon.hashSubtree(tile, 0, 256, output))
})

const machine = {
  processor: cpus()[0]?.model,
  cores: cpus().length,
  node: process.version,
  openssl: addon.openssl,
  curve,
  seconds,
  load: [loadBefore, loadavg()[0]]
}
if (process.argv.includes('--json')) {
  process.stdout.write(JSON.stringify({ machine, results }))
} else {
  const { processor, cores, node, openssl, load } = machine
  console.log(`${cores} x ${processor}, Node ${node}, OpenSSL ${openssl}, ${curve}`)
  console.log(`load of the machine ${load.map((one) => one.toFixed(1)).join(' before, ')} after\n`)
  console.log(
    `${''.padEnd(56)}${'per second'.padStart(12)}${'CPU us'.padStart(10)}${'main us'.padStart(10)}`
  )
  for (const [name, result] of Object.entries(results)) {
    const rate = Math.round(result.perSecond).toLocaleString('en-US')
    const cpu = result.cpuMicroseconds.toFixed(1)
    const main = result.mainMicroseconds.toFixed(1)
    console.log(`${name.padEnd(56)}${rate.padStart(12)}${cpu.padStart(10)}${main.padStart(10)}`)
  }
}
