// Large requests: packages of which the log reads every byte (rekord with its data inline), and attestations (dsse and intoto).
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const MEGABYTE = 1e6
const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }).toString())
const base64 = (bytes) => Buffer.from(bytes).toString('base64')
const sha256Hex = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** Body of a rekord entry with so many megabytes of random data. */
export function makePackage(megabytes) {
  const data = randomBytes(megabytes * MEGABYTE)
  return entry('rekord', '0.0.1', {
    signature: {
      format: 'x509',
      content: base64(sign('sha256', data, privateKey)),
      publicKey: { content: base64(pem) }
    },
    data: { content: base64(data) }
  })
}

/** Body of a dsse or intoto entry, in turns, whose statement takes so many megabytes. */
export function makeAttestation(megabytes, turn) {
  const payload = makeStatement(megabytes)
  const text = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `
  const sig = base64(sign('sha256', Buffer.concat([Buffer.from(text), payload]), privateKey))
  const envelope = JSON.stringify({
    payloadType: PAYLOAD_TYPE,
    payload: base64(payload),
    signatures: [{ keyid: '', sig }]
  })
  if (turn % 2 === 0) {
    return entry('dsse', '0.0.1', { proposedContent: { envelope, verifiers: [base64(pem)] } })
  }
  return entry('intoto', '0.0.2', {
    content: {
      envelope: {
        payloadType: PAYLOAD_TYPE,
        payload: base64(base64(payload)),
        signatures: [{ sig: base64(sig), publicKey: base64(pem) }]
      },
      hash: { algorithm: 'sha256', value: sha256Hex(envelope) },
      payloadHash: { algorithm: 'sha256', value: sha256Hex(payload) }
    }
  })
}

/** One subject, and a predicate of many small values, as a bill of materials has. */
function makeStatement(megabytes) {
  const packages = []
  for (let bytes = 0; bytes < megabytes * MEGABYTE; bytes += 100) {
    packages.push({
      name: randomBytes(9).toString('hex'),
      checksum: randomBytes(20).toString('hex')
    })
  }
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'artifact', digest: { sha256: randomBytes(32).toString('hex') } }],
      predicateType: 'https://spdx.dev/Document',
      predicate: { packages }
    })
  )
}

function entry(kind, apiVersion, spec) {
  return JSON.stringify({ kind, apiVersion, spec })
}
