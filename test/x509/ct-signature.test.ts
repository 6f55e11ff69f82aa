import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import t from 'tap'
import { concatBytes, equalBytes } from '../../src/encoding/bytes.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import {
  assertCtLogKey,
  logIdOf,
  verifyDigitallySigned,
  verifySct
} from '../../src/x509/ct-signature.js'
import { type CtSignedEntry, encodeMerkleTreeLeaf } from '../../src/x509/merkle-tree-leaf.js'
import { ctEntryOf, precertificateEntryOfCertificate } from '../../src/x509/precertificate.js'
import { parseSctJson } from '../../src/x509/sct-json.js'
import {
  parseDigitallySigned,
  parseSct,
  type SignedCertificateTimestamp
} from '../../src/x509/sct.js'
import { encodeTreeHeadSignatureInput } from '../../src/x509/tree-head-signature.js'
import { spkiOf } from '../helpers/certificates.js'
import {
  certificateOfPem,
  certificateVectors,
  ctLogSpki,
  ctLogVector,
  fromBase64,
  fromHex,
  pemBytes,
  precertificateVector,
  precertificateVectors,
  realCertificateVectors
} from '../helpers/ct-vectors.js'
import { refusalText } from '../helpers/refusals.js'

const LOG_KEY = parsePublicKey(ctLogSpki())
const ISSUER = certificateOfPem(ctLogVector.ca_chain_pem[0])

t.test('log id', (t) => {
  t.ok(equalBytes(logIdOf(LOG_KEY), fromBase64(ctLogVector.log_id_b64)))
  t.end()
})

t.test('Node verifies the bytes of section 3.2 put together by hand', (t) => {
  for (const vector of precertificateVectors) {
    const serialized = Buffer.from(vector.sct_b64, 'base64')
    const tbs = Buffer.from(vector.defanged_tbs_b64, 'base64')
    const input = Buffer.concat([
      Buffer.from([0, 0]),
      serialized.subarray(33, 41),
      Buffer.from([0, 1]),
      Buffer.from(vector.issuer_key_hash_hex, 'hex'),
      Buffer.from([tbs.length >> 16, tbs.length >> 8, tbs.length]),
      tbs,
      Buffer.from([0, 0])
    ])
    const signature = serialized.subarray(47)
    t.ok(verify('sha256', input, createPublicKey(ctLogVector.ct_log_public_key_pem), signature))

    const sct = parseSct(serialized)
    const entry = ctEntryOf(certificateOfPem(vector.precertificate_pem), ISSUER)
    const { timestampMs, extensions } = sct
    t.ok(equalBytes(encodeMerkleTreeLeaf({ timestampMs, entry, extensions }), input), vector.id)
    t.ok(equalBytes(sct.signature.signature, signature))
  }
  t.end()
})

t.test('timestamps of a log', async (t) => {
  for (const vector of precertificateVectors) {
    const sct = parseSct(fromBase64(vector.sct_b64))
    const submitted = certificateOfPem(vector.precertificate_pem)
    const final = certificateOfPem(vector.final_certificate_pem)
    await verifySct(sct, ctEntryOf(submitted, ISSUER), LOG_KEY)
    await verifySct(sct, precertificateEntryOfCertificate(final, ISSUER), LOG_KEY)
    const text = await refusalText(() => verifySct(sct, ctEntryOf(final, ISSUER), LOG_KEY))
    t.match(text, /^verification_failed/, 'not for the certificate as it stands')
  }
  for (const vector of certificateVectors) {
    const sct = parseSctJson({ ...vector.add_chain_response })
    const entry = { kind: 'certificate', certificate: pemBytes(vector.certificate_pem) } as const
    await verifySct(sct, entry, LOG_KEY)
  }
})

t.test('timestamps in certificates of public instances', async (t) => {
  for (const {
    name,
    certificatePem,
    issuerPem,
    scts: [vector]
  } of realCertificateVectors) {
    const sct = parseSct(fromBase64(vector.serialized))
    const key = parsePublicKey(fromBase64(vector.ctLogPublicKeyB64))
    const entry = precertificateEntryOfCertificate(
      certificateOfPem(certificatePem),
      certificateOfPem(issuerPem)
    )
    await verifySct(sct, entry, key)
    const { timestampMs, extensions } = sct
    const leaf = encodeMerkleTreeLeaf({ timestampMs, entry, extensions })
    t.equal(createHash('sha256').update(leaf).digest('hex'), vector.signedInputSha256Hex, name)
    t.equal(
      createHash('sha256')
        .update(concatBytes(Uint8Array.of(0), leaf))
        .digest('hex'),
      vector.merkleLeafHashHex
    )
  }
})

t.test('tree heads of a log', async (t) => {
  for (const head of Object.values(ctLogVector.get_sth)) {
    const signed = parseDigitallySigned(fromBase64(head.tree_head_signature))
    const input = encodeTreeHeadSignatureInput({
      timestampMs: head.timestamp,
      treeSize: head.tree_size,
      rootHash: fromBase64(head.sha256_root_hash)
    })
    await verifyDigitallySigned(signed, input, LOG_KEY)
    input[17] = (input[17] ?? 0) ^ 1
    t.match(
      await refusalText(() => verifyDigitallySigned(signed, input, LOG_KEY)),
      /^verification_failed/,
      'of another size'
    )
  }
})

t.test('a log with an RSA key', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = parsePublicKey(spkiOf(publicKey))
  const message = Uint8Array.of(1, 2, 3)
  const signature = Uint8Array.from(sign('sha256', message, privateKey))
  await verifyDigitallySigned({ algorithm: 'rsa', signature }, message, key)
  t.equal(
    await refusalText(() =>
      verifyDigitallySigned({ algorithm: 'rsa', signature }, Uint8Array.of(1, 2), key)
    ),
    'verification_failed: crypto/rsa: verification error'
  )
  t.equal(
    await refusalText(() => verifyDigitallySigned({ algorithm: 'ecdsa', signature }, message, key)),
    'verification_failed: digitally signed: ecdsa signature, but the log has an rsa key'
  )
})

const SCT = parseSct(fromBase64(precertificateVector.sct_b64))
const ENTRY: CtSignedEntry = {
  kind: 'precertificate',
  issuerKeyHash: fromHex(precertificateVector.issuer_key_hash_hex),
  tbsCertificate: fromBase64(precertificateVector.defanged_tbs_b64)
}

const CHANGES: readonly (readonly [string, Partial<SignedCertificateTimestamp>, CtSignedEntry])[] =
  [
    ['another time', { timestampMs: SCT.timestampMs + 1 }, ENTRY],
    ['extensions that were not signed', { extensions: Uint8Array.of(0) }, ENTRY],
    [
      'another issuer',
      {},
      { ...ENTRY, issuerKeyHash: fromHex(precertificateVector.issuer_key_hash_hex).fill(0, 0, 1) }
    ],
    [
      'another certificate',
      {},
      { ...ENTRY, tbsCertificate: fromBase64(precertificateVector.sct_b64) }
    ],
    ['a certificate', {}, { kind: 'certificate', certificate: ENTRY.tbsCertificate }]
  ]

t.test('a timestamp over anything else', async (t) => {
  for (const [title, change, entry] of CHANGES) {
    t.equal(
      await refusalText(() => verifySct({ ...SCT, ...change }, entry, LOG_KEY)),
      'verification_failed: invalid signature when validating ASN.1 encoded signature',
      title
    )
  }
})

t.test('a timestamp of another log', async (t) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = parsePublicKey(spkiOf(publicKey))
  const message = 'verification_failed: sct: log id is not that of the log key'
  t.equal(await refusalText(() => verifySct(SCT, ENTRY, other)), message)
  // Its signature is good still, so it is the id alone that tells.
  const renamed = { ...SCT, logId: logIdOf(other) }
  t.equal(await refusalText(() => verifySct(renamed, ENTRY, LOG_KEY)), message)
  t.match(await refusalText(() => verifySct(renamed, ENTRY, other)), /invalid signature/)
})

t.test('an ECDSA signature in another spelling', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const message = Uint8Array.of(1)
  const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  t.equal(
    await refusalText(() =>
      verifyDigitallySigned(
        { algorithm: 'ecdsa', signature },
        message,
        parsePublicKey(spkiOf(publicKey))
      )
    ),
    'verification_failed: digitally signed: ECDSA signature is not DER'
  )
})

t.test('keys no log may have', async (t) => {
  const message =
    'unsupported: key of a certificate log must be ECDSA P-256, or RSA of 2048 bits or more'
  const keys = [
    generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('rsa', { modulusLength: 1024 })
  ]
  for (const { publicKey } of keys) {
    const key = parsePublicKey(spkiOf(publicKey))
    t.equal(await refusalText(() => assertCtLogKey(key)), message, key.type)
    const renamed = { ...SCT, logId: logIdOf(key) }
    t.equal(await refusalText(() => verifySct(renamed, ENTRY, key)), message)
  }
})
