// Everything the addon does, well and badly, for the tools that watch its memory. node .ci/native-exercise.mjs ADDON TIMES
import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

const [path, times] = process.argv.slice(2)
const addon = createRequire(import.meta.url)(path)

const pairs = ['secp224r1', 'P-256', 'P-384', 'P-521'].map((namedCurve) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
  return {
    publicKey,
    privateKey,
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'der' })
  }
})
const data = Buffer.from('what is signed')
const digest = createHash('sha256').update(data).digest()
const changed = (bytes, at) => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 0x41 : byte)))

let refused = 0
async function expectError(action) {
  try {
    await action()
  } catch {
    refused++
    return
  }
  throw new Error(`not refused: ${action}`)
}

function must(holds) {
  if (!holds) throw new Error('a wrong answer')
}

async function once(round) {
  for (const { publicKey, privateKey, spki, pkcs8 } of pairs) {
    const key = addon.loadPublicKey(spki)
    const signature = sign('sha256', data, privateKey)
    must(addon.verifyDigest(key, digest, signature))
    must(!addon.verifyDigest(key, digest, signature.subarray(1)))
    must(!addon.verifyDigest(key, digest, new Uint8Array(0)))
    must(!addon.verifyDigest(key, new Uint8Array(0), signature))
    must(!addon.verifyDigest(key, digest, Buffer.alloc(5000, 0x30)))
    addon.verifyDigest(key, digest, changed(signature, round % signature.length))
    await expectError(() => addon.loadPublicKey(changed(spki, round % spki.length)))
    await expectError(() => addon.verifyDigests([key, spki], [digest, digest], [data, data], 2))
    await expectError(() => addon.verifyDigests([key, key], [digest, 1], [data, data], 2))
    await expectError(() => addon.verifyDigests([key, key], [digest, digest], [data], 2))
    await expectError(() => addon.verifyDigests([], [], [], 2))
    const verdicts = await addon.verifyDigests(
      [key, addon.loadPublicKey(spki), key],
      [digest, Buffer.alloc(100), digest],
      [signature, signature, Buffer.alloc(200)],
      1 + (round % 4)
    )
    must(verdicts.join() === '1,0,0')
    if (spki === pairs[0].spki) {
      await expectError(() => addon.loadPrivateKey(pkcs8))
      continue
    }
    const signer = addon.loadPrivateKey(pkcs8)
    try {
      addon.loadPrivateKey(changed(pkcs8, round % pkcs8.length))
    } catch {
      refused++
    }
    await expectError(() => addon.loadPrivateKey(pkcs8.subarray(0, -1)))
    await expectError(() => addon.signMessages(signer, 'sha256', [data, undefined], 2))
    await expectError(() => addon.signMessage(signer, 'md5', data))
    const signatures = await addon.signMessages(signer, 'sha256', [data, data, Buffer.alloc(0)], 2)
    must(verify('sha256', data, publicKey, signatures[1]))
    must(verify('sha512', data, publicKey, addon.signMessage(signer, 'sha512', data)))
  }
  const ed25519 = generateKeyPairSync('ed25519').publicKey
  const key = addon.loadPublicKey(ed25519.export({ type: 'spki', format: 'der' }))
  try {
    must(!addon.verifyDigest(key, Buffer.alloc(64), Buffer.alloc(64)))
  } catch {
    refused++
  }
}

/** Tables made now, beside this thread, and for keys that nobody holds any longer; hashes with and without a place to go. */
async function onceWithTable(round) {
  const [, { privateKey, spki }] = pairs
  const key = addon.loadPublicKey(spki)
  const signature = sign('sha256', data, privateKey)
  must(addon.makeTable(key) && addon.isGoodByTable(key, digest, signature))
  must(addon.verifyDigest(key, digest, signature))
  must(!addon.isGoodByTable(key, digest, Buffer.alloc(round % 90, 0x30)))
  must(!addon.verifyDigest(key, digest, changed(signature, signature.length - 1)))
  addon.isGoodByTable(
    key,
    Buffer.alloc(round % 80, 0xff),
    changed(signature, round % signature.length)
  )
  const used = addon.loadPublicKey(spki)
  const many = (item) => new Array(70).fill(item)
  const running = addon.verifyDigests(many(used), many(digest), many(signature), 2)
  addon.makeTable(used)
  must((await running).every((verdict) => verdict === 1))
  addon.verifyDigests(many(addon.loadPublicKey(spki)), many(digest), many(digest), 2)
  globalThis.gc?.()
  await expectError(() => addon.makeTable(spki))

  const output = Buffer.alloc(40)
  addon.sha256(data, output)
  must(output.subarray(0, 32).equals(digest))
  addon.hashLeaf(Buffer.alloc(round * 10), output.subarray(8))
  addon.hashSubtree(Buffer.alloc(8192), 0, 256, output)
  addon.hashSubtree(output, 0, 1, output)
  addon.hashChain(Buffer.alloc(54 * 32), 53, 2 ** 53 - 1, output)
  await expectError(() => addon.hashChain(Buffer.alloc(53 * 32), 53, 0, output))
  await expectError(() => addon.hashSubtree(Buffer.alloc(8191), 0, 256, output))
  await expectError(() => addon.hashLeaf(data, output.subarray(9)))
}

for (let round = 0; round < Number(times); round++) {
  await once(round)
  await onceWithTable(round)
}

// More tables than there may be.
const handles = Array.from({ length: Number(times) < 100 ? 0 : 260 }, () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return addon.loadPublicKey(publicKey.export({ type: 'spki', format: 'der' }))
})
for (const handle of handles) must(addon.makeTable(handle))

// A thread of its own, and one that is ended in the midst of it.
const code = `
  const addon = require(${JSON.stringify(path)})
  const { parentPort, workerData: { spki, digest } } = require('node:worker_threads')
  const key = addon.loadPublicKey(spki)
  const keys = new Array(32).fill(key)
  const again = () =>
    addon.verifyDigests(keys, keys.map(() => digest), keys.map(() => digest), 4).then(again)
  again()
  parentPort.postMessage('running')
`
for (let i = 0; i < 2; i++) {
  const worker = new Worker(code, { eval: true, workerData: { spki: pairs[1].spki, digest } })
  await new Promise((resolve) => worker.once('message', resolve))
  await worker.terminate()
}
globalThis.gc?.()
console.log(`${times} rounds, ${refused} refusals`)
