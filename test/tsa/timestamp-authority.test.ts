import t from 'tap'
import { encodeNull } from '../../src/encoding/der.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { LogError } from '../../src/errors.js'
import { hashData } from '../../src/keys/verify.js'
import type { Certificate } from '../../src/x509/certificate.js'
import type { TimestampRequest } from '../../src/x509/timestamp-request.js'
import { parseTimestampResponse } from '../../src/x509/timestamp-response.js'
import { verifyTimestampResponse } from '../../src/x509/timestamp-verification.js'
import { parseTstInfo } from '../../src/x509/tst-info.js'
import { extension } from '../helpers/certificates.js'
import { refusal, refusalText } from '../helpers/refusals.js'
import { createTestTsa, timestampSignerOf, YEAR_SECONDS } from '../helpers/test-tsa.js'
import {
  createOwnAuthority,
  createTestClock,
  DEFAULT_POLICY,
  memoryRecord
} from '../helpers/tsa-service.js'
import { OWN_TIME_SECONDS, ownChain, ownTimestampSigner } from '../helpers/tsa-vectors.js'

const DATA = Uint8Array.of(1, 2, 3)
const CHAIN = ownChain as readonly [Certificate, ...Certificate[]] // two, as the vectors have it
const EXTENSION = extension('1.2.3.4', encodeNull(), true)

const request = (more: Partial<TimestampRequest> = {}): TimestampRequest => ({
  imprint: { hash: 'sha384', digest: hashData('sha384', DATA) },
  policyOid: undefined,
  nonce: undefined,
  wantsCertificates: false,
  extensions: [],
  ...more
})

const infoOf = (response: Uint8Array) => parseTstInfo(parseTimestampResponse(response).content)

t.test('a timestamp of now', async (t) => {
  const site = await createTestClock()
  const authority = await createOwnAuthority({ clock: site.clock })
  t.teardown(() => authority.close())
  site.pass(77.9)
  const nonce = Uint8Array.of(0x80)
  const response = await authority.issue(request({ nonce }))
  const info = await verifyTimestampResponse(response, { data: DATA, chain: CHAIN, nonce })
  t.equal(info.genTimeMs, (OWN_TIME_SECONDS + 77) * 1000)
  t.equal(info.policyOid, DEFAULT_POLICY)
  t.equal(info.accuracyMs, 1000)
  t.equal(encodeHex(info.serialNumber), '01'.repeat(20))
  t.not(encodeHex(infoOf(await authority.issue(request())).serialNumber), '01'.repeat(20))
  t.equal(authority.notAfterSeconds(), Date.parse('2036-01-01') / 1000)
  t.match(authority.chainPem(), /^-----BEGIN CERTIFICATE-----\n/)
})

t.test('serial numbers are positive', async (t) => {
  const authority = await createOwnAuthority({
    randomBytes: (length) => new Uint8Array(length).fill(0xff)
  })
  t.teardown(() => authority.close())
  const { serialNumber } = infoOf(await authority.issue(request()))
  t.equal(encodeHex(serialNumber), `00${'ff'.repeat(20)}`)
})

t.test('settings', async (t) => {
  const authority = await createOwnAuthority({
    policies: { defaultOid: '1.2.3', acceptedOids: ['1.2.4'] },
    accuracySeconds: undefined,
    allowExtensions: true
  })
  t.teardown(() => authority.close())
  for (const [policyOid, expected] of [
    [undefined, '1.2.3'],
    ['1.2.3', '1.2.3'],
    ['1.2.4', '1.2.4']
  ] as const) {
    const info = infoOf(await authority.issue(request({ policyOid, extensions: [EXTENSION] })))
    t.equal(info.policyOid, expected)
    t.equal(info.accuracyMs, undefined)
    t.same(info.extensions, [EXTENSION])
  }
  t.equal(
    await refusalText(() => authority.issue(request({ policyOid: DEFAULT_POLICY }))),
    'unsupported: unaccepted policy: requested TSA policy is not supported by the TSA'
  )
})

t.test('extensions are refused unless they are allowed', async (t) => {
  const authority = await createOwnAuthority()
  t.teardown(() => authority.close())
  t.equal(
    await refusalText(() => authority.issue(request({ extensions: [EXTENSION] }))),
    'unsupported: unaccepted extension: requested extensions are not supported by the TSA'
  )
})

t.test('the clock', async (t) => {
  const site = await createTestClock()
  let problem: string | undefined
  const authority = await createOwnAuthority({ clock: site.clock, timeProblem: () => problem })
  t.teardown(() => authority.close())
  await authority.issue(request())
  site.wallMs -= 60_000
  t.match(await refusalText(() => authority.issue(request())), /^internal: the clock is 60 seconds/)
  site.wallMs += 60_000
  problem = 'time servers disagree'
  t.equal(await refusalText(() => authority.issue(request())), 'internal: time servers disagree')
  problem = undefined
  t.ok(await authority.issue(request()))
})

t.test('nothing leaves unless its time is recorded', async (t) => {
  const site = await createTestClock({
    read: async () => undefined,
    write: () => Promise.reject(new LogError('internal', 'disk full'))
  })
  const authority = await createOwnAuthority({ clock: site.clock })
  t.teardown(() => authority.close())
  t.equal(await refusalText(() => authority.issue(request())), 'internal: disk full')
})

t.test('a restart does not go back', async (t) => {
  const record = memoryRecord()
  const before = await createTestClock(record)
  const first = await createOwnAuthority({ clock: before.clock })
  await first.issue(request())
  first.close()
  t.same(record.written, [OWN_TIME_SECONDS])
  const after = await createTestClock(record)
  after.wallMs -= 10_000
  const second = await createOwnAuthority({ clock: after.clock })
  t.teardown(() => second.close())
  t.match(await refusalText(() => second.issue(request())), /10 seconds behind/)
})

t.test('certificates that are not valid now', async (t) => {
  const tsa = await createTestTsa({ madeAtSeconds: OWN_TIME_SECONDS })
  const signer = await timestampSignerOf(tsa, OWN_TIME_SECONDS)
  const site = await createTestClock()
  const authority = await createOwnAuthority({ clock: site.clock, authority: () => signer })
  t.teardown(() => authority.close())
  t.ok(await authority.issue(request()), 'at once')
  site.pass(YEAR_SECONDS)
  t.ok(await authority.issue(request()), 'in the last second')
  site.pass(1)
  const expected = 'internal: the certificates of the timestamp authority are not valid now'
  t.equal(await refusalText(() => authority.issue(request())), expected)

  const tooEarly = await createOwnAuthority({
    authority: () => ({
      ...signer,
      chain: { ...signer.chain, notBeforeSeconds: OWN_TIME_SECONDS }
    })
  })
  t.teardown(() => tooEarly.close())
  t.equal(await refusalText(() => tooEarly.issue(request())), expected, 'accuracy taken off')
})

t.test('another signer takes over between two timestamps', async (t) => {
  const tsa = await createTestTsa({ madeAtSeconds: OWN_TIME_SECONDS })
  let active = await ownTimestampSigner()
  const authority = await createOwnAuthority({ authority: () => active })
  t.teardown(() => authority.close())
  const before = await authority.issue(request())
  active = await timestampSignerOf(tsa, OWN_TIME_SECONDS)
  const after = await authority.issue(request())
  t.ok(await verifyTimestampResponse(before, { data: DATA, chain: CHAIN }))
  t.ok(await verifyTimestampResponse(after, { data: DATA, chain: tsa.chain }))
  t.equal(authority.chainPem(), active.chain.pem)
})

t.test('too many at one time', async (t) => {
  const signer = await ownTimestampSigner()
  const waiting: (() => void)[] = []
  const slow = {
    ...signer,
    signer: {
      ...signer.signer,
      sign: async (message: Uint8Array) => {
        await new Promise<void>((resolve) => waiting.push(resolve))
        return signer.signer.sign(message)
      }
    }
  }
  const authority = await createOwnAuthority({ authority: () => slow, limits: { maxPending: 3 } })
  t.teardown(() => authority.close())
  const first = [1, 2, 3].map(() => authority.issue(request()))
  const { code, details } = await refusal(() => authority.issue(request()))
  t.equal(code, 'overloaded')
  t.same(details, { retryAfterSeconds: 1 })
  for (const release of waiting) release()
  t.equal((await Promise.all(first)).length, 3)
  const again = authority.issue(request())
  waiting.at(-1)?.()
  t.ok(await again)
})

t.test('a key that does not sign', async (t) => {
  const signer = await ownTimestampSigner()
  const broken = {
    ...signer,
    signer: {
      ...signer.signer,
      sign: () => Promise.reject(new LogError('internal', 'the private key did not sign'))
    }
  }
  const authority = await createOwnAuthority({ authority: () => broken, limits: { maxPending: 1 } })
  t.teardown(() => authority.close())
  for (let i = 0; i < 3; i++) {
    t.equal(
      await refusalText(() => authority.issue(request())),
      'internal: the private key did not sign'
    )
  }
})
