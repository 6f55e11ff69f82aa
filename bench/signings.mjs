// All of a keyless signing that can be known before the server has answered anything, a line of JSON each:
//   { certificate: body, timestamp: base64 of the request, entry: body with CERTIFICATE where the certificate goes }
import { createHash, randomBytes, sign } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { makeSigningRequest } from './certificates.mjs'
import { makeTimestampRequest } from './timestamps.mjs'

const DATA_BYTES = 32

export function writeSignings(file, count, issuer) {
  const fd = openSync(file, 'w')
  try {
    for (let turn = 0; turn < count; turn++)
      writeSync(fd, `${JSON.stringify(makeSigning(issuer))}\n`)
  } finally {
    closeSync(fd)
  }
}

function makeSigning(issuer) {
  const { body, privateKey } = makeSigningRequest(issuer)
  const data = randomBytes(DATA_BYTES)
  const signature = sign('sha256', data, privateKey)
  // As cosign does it: the timestamp is of the signature.
  const timestamp = makeTimestampRequest(createHash('sha256').update(signature).digest())
  const entry = JSON.stringify({
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: {
      signature: {
        content: signature.toString('base64'),
        publicKey: { content: 'CERTIFICATE' }
      },
      data: {
        hash: { algorithm: 'sha256', value: createHash('sha256').update(data).digest('hex') }
      }
    }
  })
  return { certificate: body, timestamp: timestamp.toString('base64'), entry }
}
