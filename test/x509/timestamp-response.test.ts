import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import { encodeDer, encodeInteger, encodeSequence, parseDer } from '../../src/encoding/der.js'
import { decodeHex } from '../../src/encoding/hex.js'
import { encodePem } from '../../src/encoding/pem.js'
import { hashData } from '../../src/keys/verify.js'
import type { Certificate } from '../../src/x509/certificate.js'
import { parseTimestampRequest } from '../../src/x509/timestamp-request.js'
import {
  buildTimestampResponse,
  parseTimestampResponse
} from '../../src/x509/timestamp-response.js'
import { parseTstInfo } from '../../src/x509/tst-info.js'
import { fromBase64 } from '../helpers/ct-vectors.js'
import { refusalText } from '../helpers/refusals.js'
import { verifyWithSigstoreJs } from '../helpers/sigstore-js-timestamp.js'
import { createTestTsa, timestampSignerOf } from '../helpers/test-tsa.js'
import {
  OWN_TIME_SECONDS,
  ownChain,
  ownPair,
  ownTimestampSigner,
  tsaVector
} from '../helpers/tsa-vectors.js'

const ARTIFACT = fromBase64(tsaVector.artifactB64)
const folder = mkdtempSync(join(tmpdir(), 'timestamp-response-'))

function file(title: string, content: Uint8Array | string): string {
  const path = join(folder, title)
  writeFileSync(path, content)
  return path
}

const pemOf = (certificates: readonly Certificate[]) =>
  certificates.map(({ der }) => encodePem('CERTIFICATE', der)).join('')

t.test('answers of another implementation, but for the signature', async (t) => {
  for (const pair of tsaVector.own.pairs) {
    const authority = await ownTimestampSigner(pair.expect.embeddedCertificates === 2)
    const response = await buildTimestampResponse(
      authority,
      parseTimestampRequest(fromBase64(pair.requestB64)),
      {
        policyOid: pair.expect.policy,
        serialNumber: decodeHex(pair.expect.serialHex),
        genTimeSeconds: OWN_TIME_SECONDS,
        accuracySeconds: pair.expect.accuracySeconds
      }
    )
    const theirs = fromBase64(pair.responseB64)
    const [ours, expected] = [parseTimestampResponse(response), parseTimestampResponse(theirs)]
    t.same({ ...ours, signature: undefined }, { ...expected, signature: undefined }, pair.name)
  }
})

t.test('answers before the eyes of OpenSSL', async (t) => {
  for (const [withIntermediate, algorithm] of [
    [false, 'ecdsa-sha2-256-nistp256'],
    [true, 'ecdsa-sha2-384-nistp384'],
    [true, 'rsa-sign-pkcs1-2048-sha256'],
    [false, 'ecdsa-sha2-512-nistp521']
  ] as const) {
    const madeAtSeconds = OWN_TIME_SECONDS
    const tsa = await createTestTsa({ madeAtSeconds, algorithm, withIntermediate })
    const authority = await timestampSignerOf(tsa, madeAtSeconds, withIntermediate)
    const root = file('root.pem', pemOf(tsa.chain.slice(-1)))
    const others = file('others.pem', pemOf(tsa.chain.slice(0, -1)))
    const data = file('data', ARTIFACT)
    for (const hash of ['-sha256', '-sha384', '-sha512']) {
      for (const more of [['-cert'], ['-no_nonce']]) {
        const query = execFileSync('openssl', ['ts', '-query', '-data', data, hash, ...more], {
          stdio: ['ignore', 'pipe', 'ignore']
        })
        const response = await buildTimestampResponse(
          authority,
          parseTimestampRequest(Uint8Array.from(query)),
          {
            policyOid: '1.2.3.4',
            serialNumber: hashData('sha1', query),
            genTimeSeconds: madeAtSeconds,
            accuracySeconds: 1
          }
        )
        const trust = ['-CAfile', root, '-untrusted', others, '-attime', String(madeAtSeconds)]
        const answer = ['-in', file('answer.tsr', response)]
        for (const about of [
          ['-data', data],
          ['-queryfile', file('query.tsq', query)]
        ]) {
          const verdict = execFileSync(
            'openssl',
            ['ts', '-verify', ...about, ...answer, ...trust],
            {
              encoding: 'utf8',
              stdio: ['ignore', 'pipe', 'ignore']
            }
          )
          t.match(verdict, /Verification: OK/, `${algorithm} ${hash} ${more.join()} ${about[0]}`)
        }
        const text = execFileSync('openssl', ['ts', '-reply', ...answer, '-text'], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore']
        })
        t.match(text, /Status: Granted\./)
        t.match(text, /Policy OID: 1\.2\.3\.4/)
        t.match(text, /Time stamp: Jan {2}2 03:04:05 2026 GMT/)
        t.match(text, /Accuracy: 0x01 seconds/)
        t.match(text, /Ordering: no/)
        t.match(text, /TSA: DirName:\/O=example.test\/CN=tsa/)
      }
    }
  }
})

t.test('answers before the eyes of sigstore-js', async (t) => {
  for (const [algorithm, withIntermediate] of [
    ['ecdsa-sha2-256-nistp256', false],
    ['ecdsa-sha2-384-nistp384', true]
  ] as const) {
    const tsa = await createTestTsa({
      madeAtSeconds: OWN_TIME_SECONDS,
      algorithm,
      withIntermediate
    })
    const authority = await timestampSignerOf(tsa, OWN_TIME_SECONDS)
    for (const pair of ['sha256 bare', 'sha384 certReq']) {
      const response = await buildTimestampResponse(
        authority,
        parseTimestampRequest(fromBase64(ownPair(pair).requestB64)),
        {
          policyOid: '1.2.3.4',
          serialNumber: Uint8Array.of(1),
          genTimeSeconds: OWN_TIME_SECONDS,
          accuracySeconds: undefined
        }
      )
      t.doesNotThrow(() => verifyWithSigstoreJs(response, ARTIFACT, tsa.chain))
      t.throws(() => verifyWithSigstoreJs(response, Uint8Array.of(1), tsa.chain))
      t.throws(() => verifyWithSigstoreJs(response, ARTIFACT, ownChain))
    }
  }
})

t.test('requests for certificates', async (t) => {
  const tsa = await createTestTsa({ madeAtSeconds: OWN_TIME_SECONDS, withIntermediate: true })
  const [leaf, ...issuers] = tsa.chain.map(({ der }) => der)
  for (const [pair, includeChain, expected] of [
    ['sha256 bare', false, []],
    ['sha256 bare', true, []],
    ['sha256 nonce certReq', false, [leaf]],
    ['sha256 nonce certReq', true, [leaf, ...issuers]]
  ] as const) {
    const authority = await timestampSignerOf(tsa, OWN_TIME_SECONDS, includeChain)
    const response = await buildTimestampResponse(
      authority,
      parseTimestampRequest(fromBase64(ownPair(pair).requestB64)),
      {
        policyOid: '1.2.3.4',
        serialNumber: Uint8Array.of(1),
        genTimeSeconds: OWN_TIME_SECONDS,
        accuracySeconds: undefined
      }
    )
    const { certificates, content } = parseTimestampResponse(response)
    t.same(certificates, expected)
    t.equal(parseTstInfo(content).accuracyMs, undefined)
  }
})

t.test('answers that are none', async (t) => {
  const response = fromBase64(ownPair('sha256 bare').responseB64)
  const token = parseDer(response).children[1]?.encoded ?? new Uint8Array(0)
  const granted = encodeSequence(encodeInteger(0n))
  t.ok(equalBytes(encodeSequence(granted, token), response))
  for (const [der, text] of [
    [new Uint8Array(0), 'invalid_request: timestamp response: element missing'],
    [Uint8Array.of(...response, 0), 'invalid_request: timestamp response: trailing data'],
    [
      encodeSequence(encodeSequence(encodeInteger(2n), encodeDer(0x03, Uint8Array.of(7, 0x80)))),
      'verification_failed: timestamp response: not granted, status 2'
    ],
    [
      encodeSequence(encodeSequence(encodeInteger(1n)), token),
      'verification_failed: timestamp response: not granted, status 1'
    ],
    [
      encodeSequence(granted),
      'invalid_request: timestamp: signed data: expected tag 0x30, found nothing'
    ],
    [encodeSequence(granted, token, token), 'invalid_request: timestamp response: too many fields']
  ] as const) {
    t.equal(await refusalText(() => parseTimestampResponse(der)), text)
  }
})
