import { createPublicKey, verify } from 'node:crypto'
import t from 'tap'
import type { SubmissionKind } from '../../src/ct/contract.js'
import { encodeBase64 } from '../../src/encoding/base64.js'
import { LogError } from '../../src/errors.js'
import type { LogStore } from '../../src/store/log-store.js'
import {
  type CertificateVector,
  ctLogVector,
  pemBytes,
  type PrecertificateVector
} from '../helpers/ct-vectors.js'
import { CT_NOW_MS, createTestAuthority, openTestCt } from '../helpers/ct-log.js'
import { refusalText } from '../helpers/refusals.js'

const vectorChain = ctLogVector.ca_chain_pem.map(pemBytes)
const vectorRoot = vectorChain[1] ?? new Uint8Array(0)

function submissionOf(entry: PrecertificateVector | CertificateVector): {
  readonly kind: SubmissionKind
  readonly der: Uint8Array
} {
  return 'precertificate_pem' in entry
    ? { kind: 'precertificate', der: pemBytes(entry.precertificate_pem) }
    : { kind: 'certificate', der: pemBytes(entry.certificate_pem) }
}

t.test('the log of another implementation, entry for entry', async (t) => {
  let nowMs = Math.min(...ctLogVector.entries.map((entry) => entry.sct_timestamp_ms))
  const log = await openTestCt(t, { roots: () => [vectorRoot], now: () => nowMs })
  for (const entry of ctLogVector.entries) {
    nowMs = entry.sct_timestamp_ms
    const { kind, der } = submissionOf(entry)
    // The root may be left out.
    const sct = await log.ct.submit(kind, [der, ...vectorChain.slice(0, 1)])
    t.equal(sct.timestampMs, entry.sct_timestamp_ms, entry.id)
    t.equal(sct.extensions.length, 0)
    const key = createPublicKey({
      key: Buffer.from(log.signer.publicKey),
      format: 'der',
      type: 'spki'
    })
    const signed = Buffer.from(entry.sct_signed_input_b64, 'base64')
    t.ok(verify('sha256', signed, key, sct.signature.signature), `${entry.id}: signature`)
    const head = log.ct.active.signedTreeHead()
    const expected = ctLogVector.get_sth[String(head.treeSize)]
    if (expected !== undefined) {
      t.equal(encodeBase64(head.rootHash), expected.sha256_root_hash, `root at ${head.treeSize}`)
    }
  }
  const entries = await log.ct.active.entries(0, 4)
  t.strictSame(
    entries.map(({ leafInput, extraData }) => ({
      leaf_input: encodeBase64(leafInput),
      extra_data: encodeBase64(extraData)
    })),
    ctLogVector.get_entries_0_4.entries
  )
  for (const [hash, proof] of Object.entries(ctLogVector.get_proof_by_hash_tree5)) {
    const { leafIndex, auditPath } = await log.ct.active.proveByHash(
      Uint8Array.from(Buffer.from(hash, 'base64')),
      5
    )
    t.strictSame({ leaf_index: leafIndex, audit_path: auditPath.map(encodeBase64) }, proof)
  }
  for (const [sizes, { consistency }] of Object.entries(ctLogVector.get_sth_consistency)) {
    const [first = 0, second = 0] = sizes.split(',').map(Number)
    const proof = await log.ct.active.proveConsistency(first, second)
    t.strictSame(proof.map(encodeBase64), consistency, sizes)
  }
  t.match(await log.check(), { submissions: 5, attestations: 1 })
})

t.test('one submission is one entry with one time, however often and by whom', async (t) => {
  const authority = await createTestAuthority()
  let nowMs = CT_NOW_MS
  const log = await openTestCt(t, { roots: () => [authority.root.der], now: () => nowMs++ })
  const precertificate = await authority.issue('precertificate')
  const chain = [precertificate, ...authority.chain]
  const scts = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      i % 2 === 0
        ? log.ct.submit('precertificate', chain)
        : log.ct.submitOwn('precertificate', chain)
    )
  )
  t.equal(new Set(scts.map(({ timestampMs }) => timestampMs)).size, 1)
  t.equal(log.ct.active.signedTreeHead().treeSize, 1)
  const later = await log.ct.submit('precertificate', chain.slice(0, 2))
  t.strictSame(later, scts[0], 'also later, and without the root')
  await log.ct.submit('certificate', [await authority.issue('certificate'), ...authority.chain])
  t.equal(log.ct.active.signedTreeHead().treeSize, 2)
  t.match(await log.check(), { submissions: 2, attestations: 1 })
})

t.test('one precertificate signed twice, at once: one entry, and the log goes on', async (t) => {
  const authority = await createTestAuthority()
  const log = await openTestCt(t, { roots: () => [authority.root.der] })
  const twins = [
    await authority.issue('precertificate', 7n),
    await authority.issue('precertificate', 7n)
  ]
  t.notSame(twins[0], twins[1], 'signatures differ, what is signed does not')
  const submit = (der: Uint8Array) => log.ct.submit('precertificate', [der, ...authority.chain])
  const [first, second] = await Promise.all(twins.map(submit))
  t.strictSame(second, first)
  t.equal(log.ct.active.signedTreeHead().treeSize, 1)
  await log.ct.submitOwn('precertificate', [
    await authority.issue('precertificate'),
    ...authority.chain
  ])
  t.equal(log.opened.log.failure, undefined)
  t.match(await log.check(), { submissions: 2 })
})

t.test('what was answered is there after a restart', async (t) => {
  const authority = await createTestAuthority()
  const options = { roots: () => [authority.root.der] }
  const first = await openTestCt(t, options)
  const chain = [await authority.issue('precertificate'), ...authority.chain]
  const sct = await first.ct.submit('precertificate', chain)
  const head = first.ct.active.signedTreeHead()
  await first.close()
  const { folder, signer } = first
  const second = await openTestCt(t, { ...options, folder, signer })
  t.strictSame(second.ct.active.signedTreeHead(), head)
  t.strictSame(await second.ct.submit('precertificate', chain), sct)
  t.equal(second.ct.active.signedTreeHead().treeSize, 1)
  t.match(await second.check(), { submissions: 1 })
})

t.test(
  'dies between writing and publishing: the next start publishes, with the same time',
  async (t) => {
    const authority = await createTestAuthority()
    let isDead = false
    const dying = (store: LogStore): LogStore => ({
      ...store,
      publish: (...args) =>
        isDead ? Promise.reject(new LogError('internal', 'died')) : store.publish(...args)
    })
    let nowMs = CT_NOW_MS
    const options = { roots: () => [authority.root.der], now: () => nowMs }
    const first = await openTestCt(t, { ...options, wrap: dying })
    isDead = true
    const chain = [await authority.issue('precertificate'), ...authority.chain]
    await t.rejects(first.ct.submit('precertificate', chain), { message: 'died' })
    t.equal(first.ct.active.signedTreeHead().treeSize, 0, 'nobody was told')
    await first.database.close()

    nowMs += 5000
    const { folder, signer } = first
    const second = await openTestCt(t, { ...options, folder, signer })
    t.equal(second.ct.active.signedTreeHead().treeSize, 1)
    const sct = await second.ct.submit('precertificate', chain)
    t.equal(sct.timestampMs, CT_NOW_MS, 'the time of the first attempt')
    t.equal(second.ct.active.signedTreeHead().treeSize, 1)
    t.match(await second.check(), { submissions: 1 })
  }
)

t.test('times do not go back', async (t) => {
  const authority = await createTestAuthority()
  let nowMs = CT_NOW_MS
  const log = await openTestCt(t, { roots: () => [authority.root.der], now: () => nowMs })
  const submit = async () =>
    log.ct.submit('precertificate', [await authority.issue('precertificate'), ...authority.chain])
  await submit()
  nowMs -= 900
  t.equal((await submit()).timestampMs, CT_NOW_MS, 'a small step back repeats the last time')
  t.ok(log.ct.active.signedTreeHead().timestampMs >= CT_NOW_MS)
  nowMs -= 3_600_000
  t.match(
    await refusalText(submit),
    /^internal: the clock is \d+ seconds behind what the certificate log signed last/
  )
  t.equal(log.ct.active.signedTreeHead().treeSize, 2)
})

t.test('an idle log signs its tree head anew, and remembers that', async (t) => {
  const authority = await createTestAuthority()
  let nowMs = CT_NOW_MS
  const options = { roots: () => [authority.root.der], now: () => nowMs, refreshMs: 600 }
  const log = await openTestCt(t, options)
  const before = log.ct.active.signedTreeHead()
  const timeOf = () => log.ct.active.signedTreeHead().timestampMs
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(timeOf(), CT_NOW_MS, 'not before it is old')
  nowMs += 600
  const deadline = Date.now() + 10_000
  while (timeOf() === CT_NOW_MS && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const fresh = log.ct.active.signedTreeHead()
  t.equal(fresh.timestampMs, CT_NOW_MS + 600)
  t.strictSame(fresh.rootHash, before.rootHash)
  t.notSame(fresh.treeHeadSignature, before.treeHeadSignature)
  await log.close()

  nowMs += 1
  const { folder, signer } = log
  const again = await openTestCt(t, { ...options, folder, signer, refreshMs: 3_600_000 })
  t.strictSame(again.ct.active.signedTreeHead(), fresh, 'the times of tree heads do not go back')
  await again.ct.submit('precertificate', [
    await authority.issue('precertificate'),
    ...authority.chain
  ])
  t.equal(again.ct.active.signedTreeHead().treeSize, 1, 'a larger one goes before a later one')
  t.match(await again.check(), { submissions: 1 })
})

t.test('strangers wait, the authority does not', async (t) => {
  const authority = await createTestAuthority()
  const log = await openTestCt(t, { roots: () => [authority.root.der], maxForeignSubmissions: 3 })
  const chains = await Promise.all(
    Array.from({ length: 8 }, async () => [
      await authority.issue('precertificate'),
      ...authority.chain
    ])
  )
  const results = await Promise.allSettled(
    chains.map((chain) => log.ct.submit('precertificate', chain))
  )
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 3)
  for (const result of results) {
    if (result.status === 'fulfilled') continue
    t.match(result.reason, { code: 'overloaded', details: { retryAfterSeconds: 1 } })
  }
  const own = await Promise.all(chains.map((chain) => log.ct.submitOwn('precertificate', chain)))
  t.equal(own.length, 8)
  await log.ct.submit('precertificate', chains[0] ?? [])
  t.equal(log.ct.active.signedTreeHead().treeSize, 8)
})

t.test('a key that is not that of the log', async (t) => {
  const authority = await createTestAuthority()
  const options = { roots: () => [authority.root.der] }
  const log = await openTestCt(t, options)
  await log.close()
  await t.rejects(openTestCt(t, { ...options, folder: log.folder }), { code: 'conflict' })
})
