// The timestamp authority, asked by openssl and by both generations of cosign; and every refusal that makes a timestamp
// worth having.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { runProgram, SUITES } from './clients.js'
import { makeKey, signFlags } from './cosign.js'
import { accepted, openSession, refused } from './session.js'

const session = await openSession(t)
const stranger = await openSession(t)
const endpoint = `${session.server.url}/api/v1/timestamp`
const chainOf = async (url: string) => (await fetch(`${url}/api/v1/timestamp/certchain`)).text()
const chain = session.write('tsa-chain.pem', await chainOf(session.server.url))
const strangersChain = session.write('other-chain.pem', await chainOf(stranger.server.url))
const [leafPem = '', rootPem = ''] = readFileSync(chain, 'utf8').split(
  /(?<=-----END CERTIFICATE-----\n)/
)
const leaf = session.write('tsa-leaf.pem', leafPem)
const root = session.write('tsa-root.pem', rootPem)

async function stamp(query: Buffer, type = 'application/timestamp-query'): Promise<Response> {
  return fetch(endpoint, { method: 'POST', headers: { 'content-type': type }, body: query })
}

t.test('openssl', async (t) => {
  const file = session.write('stamped.txt', 'stamped\n')
  const changed = session.write('stamped-changed.txt', 'changed\n')
  for (const [digest, flags] of [
    ['sha256', ['-cert']],
    ['sha384', []],
    ['sha512', ['-cert', '-no_nonce']]
  ] as const) {
    const query = execFileSync('openssl', ['ts', '-query', '-data', file, `-${digest}`, ...flags], {
      stdio: ['ignore', 'pipe', 'ignore']
    })
    const answer = await stamp(query)
    t.equal(answer.status, 200)
    t.equal(answer.headers.get('content-type'), 'application/timestamp-reply')
    const reply = `${session.dir}/${digest}.tsr`
    writeFileSync(reply, Buffer.from(await answer.arrayBuffer()))
    const verify = (artifact: string, ca = root, known = leaf) =>
      runProgram(
        'openssl',
        ['ts', '-verify', '-data', artifact, '-in', reply, '-CAfile', ca, '-untrusted', known],
        { cwd: session.dir }
      )
    accepted(t, await verify(file), digest, /Verification: OK/)
    refused(t, await verify(changed), `${digest}, changed file`, /message imprint mismatch/)
    refused(
      t,
      await verify(file, strangersChain),
      `${digest}, other root`,
      /certificate verify error/
    )
    const text = execFileSync('openssl', ['ts', '-reply', '-in', reply, '-text']).toString()
    t.match(text, /Status: Granted\./)
    t.match(text, /Policy OID: 1\.3\.6\.1\.4\.1\.57264\.2\n/)
    t.match(text, /Accuracy: unspecified\n/)
  }
  const weak = execFileSync('openssl', ['ts', '-query', '-data', file, '-sha1'], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  const answer = await stamp(weak)
  t.equal(answer.status, 400)
  t.match(await answer.json(), { code: 400, message: 'Weak hash algorithm in timestamp request' })
  t.equal((await stamp(weak, 'text/plain')).status, 415)
})

for (const suite of SUITES) {
  t.test(`${suite}: cosign with a key and a timestamp`, async (t) => {
    const key = await makeKey(session, `tsa-${suite}`, 'ecdsa')
    const file = session.write(`${suite}-stamped.txt`, `${suite} stamped\n`)
    const bundle = `${file}.bundle`
    const stampFile = `${file}.ts.json`
    const signed = await session.run(suite, 'cosign', [
      ...['sign-blob', ...signFlags(session, suite, 'old', key)],
      ...['--timestamp-server-url', endpoint, '--rfc3161-timestamp', stampFile],
      ...['--bundle', bundle, file]
    ])
    accepted(t, signed, 'sign-blob', /Timestamp fetched|Wrote bundle|RFC3161 timestamp/i)
    t.match(JSON.parse(readFileSync(stampFile, 'utf8')), { SignedRFC3161Timestamp: /^MI/ })
    const verify = (chainFile: string, timestampFile = stampFile) =>
      session.run(
        suite,
        'cosign',
        [
          ...['verify-blob', '--key', key.publicFile, '--bundle', bundle],
          ...(suite === 'sid' ? ['--new-bundle-format=false'] : []),
          ...['--rfc3161-timestamp', timestampFile, '--timestamp-certificate-chain', chainFile],
          ...['--use-signed-timestamps', file]
        ],
        { SIGSTORE_REKOR_PUBLIC_KEY: session.logKeyFile }
      )
    accepted(t, await verify(chain), 'verify-blob', /Verified OK/)
    refused(t, await verify(strangersChain), 'chain of another authority', /timestamp|certificate/i)
    const other = execFileSync('openssl', ['ts', '-query', '-data', chain, '-sha256'], {
      stdio: ['ignore', 'pipe', 'ignore']
    })
    const strange = Buffer.from(await (await stamp(other)).arrayBuffer()).toString('base64')
    const strangeFile = session.write(
      `${suite}-other.ts.json`,
      JSON.stringify({ SignedRFC3161Timestamp: strange })
    )
    refused(
      t,
      await verify(chain, strangeFile),
      'timestamp of something else',
      /hash|mismatch|digest|message/i
    )
  })
}
