import { equalBytes } from '../encoding/bytes.js'
import { isLogError, LogError } from '../errors.js'
import type { PublicKey } from '../keys/public-key.js'
import { hashData } from '../keys/verify.js'
import { badThing } from '../log/check-error.js'
import type { LeafChecks } from '../log/leaf-checks.js'
import type { TreeRecord } from '../store/log-store.js'
import { parseCertificate } from '../x509/certificate.js'
import { hasSigned } from '../x509/chain.js'
import { parseCertificateList } from '../x509/ct-extra-data.js'
import { verifyDigitallySigned } from '../x509/ct-signature.js'
import { encodeMerkleTreeLeaf, parseMerkleTreeLeaf } from '../x509/merkle-tree-leaf.js'
import { ctEntryOf } from '../x509/precertificate.js'
import { createTreeHeadCheck, logKeyOf, type VerifyCtTreeHead } from './signing.js'

interface LogKey {
  readonly publicKey: PublicKey
  readonly verifyTreeHead: VerifyCtTreeHead
}

/**
 * What a checker of the whole log must know of certificate logs: signatures, and that what is kept beside a leaf is what
 * the leaf was made from.
 */
export function createCtLeafChecks(): LeafChecks {
  const keys = new Map<string, LogKey>()

  function keyOf(tree: TreeRecord): LogKey {
    const known = keys.get(tree.treeId)
    if (known !== undefined) return known
    const read = { publicKey: logKeyOf(tree), verifyTreeHead: createTreeHeadCheck(tree) }
    keys.set(tree.treeId, read)
    return read
  }

  return {
    verifyCheckpoint: async (tree, { note }) => {
      await keyOf(tree).verifyTreeHead(note)
    },
    verifyPromise: (tree, { leafValue, inclusionPromise }) =>
      verifyDigitallySigned(
        { algorithm: 'ecdsa', signature: inclusionPromise },
        leafValue,
        keyOf(tree).publicKey
      ),
    deriveFromLeaf: async ({ treeId }, { leafIndex, leafValue }, side) => {
      const place = { treeId, index: leafIndex }
      const { entry, timestampMs, extensions } = parseMerkleTreeLeaf(leafValue)
      const chain = await side.readAttestation()
      if (chain === undefined) {
        const problem = `the chain of entry ${leafIndex} of certificate log ${treeId} is missing`
        throw badThing('attestation', place, problem)
      }
      const submittedDer = entry.kind === 'certificate' ? entry.certificate : side.extraData
      try {
        assertMadeFrom(leafValue, { timestampMs, extensions }, submittedDer, chain)
        if (entry.kind === 'certificate') await assertIssued(entry.certificate, chain)
      } catch (err) {
        if (!isLogError(err)) throw err
        const problem = `what is kept with entry ${leafIndex} of certificate log ${treeId} is not what it was made from`
        throw badThing('extraData', place, `${problem}: ${err.message}`, err)
      }
      if (entry.kind === 'certificate' && side.extraData !== undefined) {
        const problem = `entry ${leafIndex} of certificate log ${treeId} is a certificate and has a precertificate`
        throw badThing('extraData', place, problem)
      }
      return {
        searchKeys: [],
        attestationKey: side.attestationKey,
        submissionHash: hashData('sha256', submittedDer ?? new Uint8Array(0))
      }
    }
  }
}

/** Makes the leaf again from what was submitted. @throws LogError when it comes out differently */
function assertMadeFrom(
  leafValue: Uint8Array,
  { timestampMs, extensions }: { readonly timestampMs: number; readonly extensions: Uint8Array },
  submittedDer: Uint8Array | undefined,
  chain: Uint8Array
): void {
  if (submittedDer === undefined) throw new LogError('invalid_request', 'no precertificate')
  const submitted = parseCertificate(submittedDer)
  const [issuerDer] = parseCertificateList(chain)
  const issuer = issuerDer === undefined ? submitted : parseCertificate(issuerDer)
  const again = encodeMerkleTreeLeaf({
    timestampMs,
    entry: ctEntryOf(submitted, issuer),
    extensions
  })
  if (!equalBytes(again, leafValue)) {
    throw new LogError('invalid_request', 'it gives another entry')
  }
}

/**
 * Holds a certificate against its chain, of which its leaf says nothing: that of a precertificate names the issuer's key.
 * Without a chain it was an accepted root itself.
 */
async function assertIssued(certificateDer: Uint8Array, chain: Uint8Array): Promise<void> {
  const certificate = parseCertificate(certificateDer)
  const [issuerDer] = parseCertificateList(chain)
  if (issuerDer === undefined) {
    const isCa = certificate.basicConstraints?.isCa === true
    if (isCa || equalBytes(certificate.issuer, certificate.subject)) return
    throw new LogError('verification_failed', 'it has no issuer')
  }
  if (!(await hasSigned(parseCertificate(issuerDer), certificate))) {
    throw new LogError('verification_failed', 'its issuer has not signed it')
  }
}
