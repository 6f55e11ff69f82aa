import type { X509Certificate } from 'node:crypto'
import type { Test } from 'tap'
import { certificatesOf, type KeylessSession } from './keyless.js'
import {
  leafHash,
  precertificateChain,
  precertificateTbs,
  rootOf,
  tbsOf,
  verifyEmbeddedSct,
  verifyTreeHead
} from './sct.js'

type TreeHead = Parameters<typeof verifyTreeHead>[0]

/**
 * A certificate was logged before it was given out: its timestamp is good, the entry that this signs is in the tree whose head
 * the log signs now, and what the log keeps of it is its precertificate. All of it by the verifier of these tests.
 */
export async function assertLogged(
  t: Test,
  { session, pem, ctUrl }: KeylessSession,
  certificate: X509Certificate
): Promise<void> {
  const chain = certificatesOf(pem.chain)
  const [issuing] = chain
  if (issuing === undefined) throw new Error('no issuing certificate')
  const { leaf, timestampMs, extensions } = verifyEmbeddedSct(certificate, issuing, pem.ctKey)
  t.equal(extensions.length, 0, 'an SCT without extensions')
  t.ok(Math.abs(timestampMs - Date.parse(certificate.validFrom)) < 5000, 'SCT of its time')

  // Clients read the log at its name, the API is at the root: both are the same log.
  const head = await getJson<TreeHead>(`${ctUrl}/ct/v1/get-sth`)
  verifyTreeHead(head, pem.ctKey)
  const base = `${session.server.url}/ct/v1`
  const query = new URLSearchParams({
    hash: leafHash(leaf).toString('base64'),
    tree_size: String(head.tree_size)
  })
  const proof = await getJson<{ leaf_index: number; audit_path: string[] }>(
    `${base}/get-proof-by-hash?${query.toString()}`
  )
  const path = proof.audit_path.map((hash) => Buffer.from(hash, 'base64'))
  t.equal(
    rootOf(leaf, proof.leaf_index, head.tree_size, path).toString('base64'),
    head.sha256_root_hash,
    'its entry is in the tree whose head is signed'
  )

  const at = proof.leaf_index
  const { entries } = await getJson<{ entries: { leaf_input: string; extra_data: string }[] }>(
    `${base}/get-entries?start=${at}&end=${at}`
  )
  const [entry] = entries
  if (entry === undefined) throw new Error('no entry')
  t.equal(entry.leaf_input, leaf.toString('base64'), 'the log shows the entry that the SCT signs')
  const [precertificate, ...issuers] = precertificateChain(Buffer.from(entry.extra_data, 'base64'))
  if (precertificate === undefined) throw new Error('no precertificate')
  t.ok(precertificate.verify(issuing.publicKey), 'the precertificate is signed by the authority')
  t.equal(
    tbsOf(precertificate).toString('hex'),
    precertificateTbs(certificate).toString('hex'),
    'it differs from the certificate in nothing but the last extension'
  )
  t.strictSame(
    issuers.map(({ fingerprint256 }) => fingerprint256),
    chain.map(({ fingerprint256 }) => fingerprint256),
    'and came with the chain of the authority'
  )
}

/** GET with an answer of 200. */
export async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url)
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}
