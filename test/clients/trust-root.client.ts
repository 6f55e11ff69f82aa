// From an empty home to a verified signature, with nothing but what /bootstrap.json says: its lines are pasted into a shell
// as they stand. What each client believes then, it believes of this server alone.
import { unzipSync } from 'fflate'
import t, { type Test } from 'tap'
import { type Outcome, type Suite, SUITES } from './clients.js'
import { EMAIL, openKeylessSession } from './keyless.js'
import { INSTALLED, type Newcomer, newcomer, readBootstrap, withoutFiles } from './newcomer.js'
import { accepted, openSession, refused, type Session } from './session.js'
import { serveFiles } from './static-files.js'

const keyless = await openKeylessSession(t)
const { session, person, user, issuersFile } = keyless
const issuers = ['--ca-issuers-file', issuersFile]
/** The same without a timestamp authority. */
const unstamped = await openSession(t, [...issuers, '--tsa-enabled', 'false'])
/** Believes the same providers, and nobody here believes it. */
const stranger = await openSession(t, issuers)
const strangersRoot = await download((await readBootstrap(stranger.server.url)).tuf.rootUrl)

const GUIDES: Record<Suite, string> = { trixie: 'cosign-2', sid: 'cosign-3' }
/** go-tuf of both kinds, and tuf-js. */
const NOT_ITS_ROOT =
  /failed to decode timestamp\.json: tuf: valid signatures did not meet threshold|Verifying timestamp failed, not enough signatures/

/** A file that is not the one that was signed. */
const CHANGED = /matching bundle to payload|invalid signature when validating ASN\.1/
/** What was signed elsewhere. */
const STRANGE =
  /x509: certificate signed by unknown authority|not enough verified log entries from transparency log: 0 < 1|rekor log public key not found for payload/

async function download(url: string): Promise<Buffer> {
  const answer = await fetch(url)
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}

async function token(): Promise<Readonly<Record<string, string>>> {
  return { SIGSTORE_ID_TOKEN: await person.idToken() }
}

function count(outcome: Outcome, words: RegExp): number {
  return `${outcome.stdout}${outcome.stderr}`.match(new RegExp(words, 'g'))?.length ?? 0
}

/** Somebody who does what the server says, except that `root.json` is another server's. */
async function misled(t: Test, at: Newcomer, name: string): Promise<Newcomer> {
  const twin = at.twin(name)
  twin.write('root.json', strangersRoot)
  const check = at.guide('files').filter((line) => line.includes('sha256sum'))
  t.equal(check.length, 1)
  refused(t, await twin.paste(check), 'the hash of the files guide', /root.json: FAILED/)
  return twin
}

t.test('the guides', async (t) => {
  const { clients, files } = await readBootstrap(session.server.url)
  t.match(
    clients.map(({ id }) => id),
    ['files', 'cosign-3', 'cosign-2', 'gitsign', 'rekor-cli', 'sigstore-go', 'sigstore-js']
  )
  for (const file of files) t.match(file.sha256, /^[0-9a-f]{64}$/, file.name)
})

for (const suite of SUITES) {
  for (const [name, at] of [
    ['stamped', session],
    ['unstamped', unstamped]
  ] as const) {
    t.test(`${GUIDES[suite]}, ${name}`, async (t) => {
      const here = await newcomer(at, suite, `${suite}-${name}`)
      const lines = here.guide(GUIDES[suite])
      const done = await here.paste(lines, await token())
      accepted(t, done, 'all lines')
      const verifying = lines.filter((line) => / verify-blob /.test(line))
      t.equal(verifying.length, 3)
      t.equal(count(done, /Verified OK/), 3)
      assertTimestamps(t, suite, here, name === 'stamped')

      await refusedCosign(t, { suite, at, here, verifying })
    })
  }
}

/** What was signed has a timestamp where the server gives any. */
function assertTimestamps(t: Test, suite: Suite, here: Newcomer, has: boolean): void {
  if (suite === 'trixie') {
    const stamp = () => JSON.parse(here.read('hello.ts.json')) as object
    if (has) t.match(stamp(), { SignedRFC3161Timestamp: /^MI/ })
    else t.throws(stamp, { code: 'ENOENT' })
    return
  }
  for (const name of ['hello', 'hello.key', 'hello.files']) {
    const { verificationMaterial } = JSON.parse(here.read(`${name}.sigstore.json`)) as {
      verificationMaterial: {
        timestampVerificationData?: { rfc3161Timestamps?: readonly object[] }
      }
    }
    const stamps = verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? []
    t.equal(stamps.length, has ? 1 : 0, `timestamps of ${name}`)
  }
}

interface Signed {
  readonly suite: Suite
  readonly at: Session
  readonly here: Newcomer
  readonly verifying: readonly string[]
}

/** The lines that verify, one thing changed at a time. */
async function refusedCosign(t: Test, { suite, at, here, verifying }: Signed): Promise<void> {
  const who = `WHO=${EMAIL}`
  const byName = verifying.filter((line) => line.includes('"$WHO"'))
  t.equal(byName.length, 1, 'one line verifies a name')
  const [line = ''] = byName
  const noMatch =
    /none of the expected identities matched what was in the certificate|no matching CertificateIdentity found/
  accepted(t, await here.paste([who, line]), 'the line alone', /Verified OK/)
  refused(t, await here.paste(['WHO=joe@example.com', line]), 'other identity', noMatch)
  const otherIssuer = line.replace(person.issuer, user.issuer)
  t.not(otherIssuer, line)
  refused(t, await here.paste([who, otherIssuer]), 'other issuer', noMatch)

  if (at === session && suite === 'sid') {
    const bundle = JSON.parse(here.read('hello.sigstore.json')) as {
      verificationMaterial: { timestampVerificationData?: object }
    }
    delete bundle.verificationMaterial.timestampVerificationData
    here.write('stripped.json', JSON.stringify(bundle))
    const stripped = line.replace('hello.sigstore.json', 'stripped.json')
    refused(
      t,
      await here.paste([who, stripped]),
      'timestamp taken away',
      /threshold not met for verified signed timestamps: 0 < 1/
    )
  }
  if (at === session && suite === 'trixie') {
    const moved = line.replace('hello.ts.json', 'hello.key.ts.json')
    refused(
      t,
      await here.paste([who, moved]),
      'timestamp of another signature',
      /hashed messages don't match/
    )
  }

  const twin = await misled(t, here, `${suite}-${at === session ? 'misled' : 'misled-unstamped'}`)
  const initializing = here.guide(GUIDES[suite]).slice(0, 1)
  t.match(initializing, [/^cosign initialize --mirror \S+ --root root\.json$/])
  refused(t, await twin.paste(initializing), "a stranger's root.json", NOT_ITS_ROOT)

  // Somebody who has done all that the other server says.
  const elsewhere = await newcomer(stranger, suite, `${suite}-${at === session ? 'a' : 'b'}`)
  accepted(t, await elsewhere.paste(elsewhere.guide(GUIDES[suite]).slice(0, 1)), 'initialize there')
  for (const line of verifying) {
    for (const file of line.match(/\bhello\.\S+|\bcosign\.pub/g) ?? []) {
      elsewhere.write(file, here.read(file))
    }
    refused(
      t,
      await elsewhere.paste([who, line]),
      `by the trust of another server: ${line.slice(0, 60)}`,
      STRANGE
    )
  }

  here.write('hello.txt', 'hello, changed\n')
  for (const line of verifying) {
    refused(t, await here.paste([who, line]), `tampered: ${line.slice(0, 60)}`, CHANGED)
  }
}

for (const suite of SUITES) {
  t.test(`gitsign of ${suite}`, async (t) => {
    const here = await newcomer(session, suite, `gitsign-${suite}`)
    const git = {
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Jane',
      GIT_AUTHOR_EMAIL: EMAIL,
      GIT_COMMITTER_NAME: 'Jane',
      GIT_COMMITTER_EMAIL: EMAIL
    }
    const lines = here.guide('gitsign')
    const done = await here.paste(lines, { ...git, ...(await token()) })
    for (const words of [
      /Validated Git signature: true/,
      /Validated Rekor entry: true/,
      /Validated Certificate claims: true/
    ]) {
      accepted(t, done, 'all lines', words)
    }

    const trust = lines.filter((line) => /^\. |^gitsign initialize /.test(line))
    t.equal(trust.length, 2)
    const verify = lines.filter((line) => / verify /.test(line))
    t.equal(verify.length, 1)
    const [line = ''] = verify
    const [variables = '', initialize = ''] = trust
    const cd = 'cd hello-repository'
    const who = `WHO=${EMAIL}`
    const again = (changed: readonly string[]) => here.paste([variables, cd, ...changed], git)
    accepted(t, await again([who, line]), 'the line alone', /Validated Git signature: true/)
    const noMatch = /none of the expected identities/
    refused(t, await again(['WHO=joe@example.com', line]), 'other identity', noMatch)
    const otherIssuer = line.replace(person.issuer, user.issuer)
    t.not(otherIssuer, line)
    refused(t, await again([who, otherIssuer]), 'other issuer', noMatch)
    const changed = [
      "commit=$(git cat-file commit HEAD | sed 's/^A signed commit$/Another commit/' | git hash-object -t commit -w --stdin)",
      who,
      line.replace('HEAD', '"$commit"')
    ]
    refused(t, await again(changed), 'changed commit', /invalid message digest/)

    const twin = await misled(t, here, `gitsign-misled-${suite}`)
    refused(t, await twin.paste([initialize]), "a stranger's root.json", NOT_ITS_ROOT)

    const elsewhere = await newcomer(stranger, suite, `gitsign-${suite}`)
    const theirs = elsewhere.guide('gitsign').slice(0, 2)
    accepted(t, await elsewhere.paste(theirs), 'initialize there')
    refused(
      t,
      await elsewhere.paste([variables, `cd ${here.dir}/hello-repository`, who, line], git),
      'by the trust of another server',
      /x509: certificate signed by unknown authority/
    )
  })

  t.test(`rekor-cli of ${suite}`, async (t) => {
    const here = await newcomer(session, suite, `rekor-${suite}`)
    const lines = here.guide('rekor-cli')
    accepted(t, await here.paste(lines), 'all lines', /Verification Successful!/)
    const strangersKey = await download(`${stranger.server.url}/bootstrap/rekor.pub`)
    here.write('rekor.pub', strangersKey)
    const commands = lines.filter((line) => line.startsWith('rekor-cli '))
    t.equal(commands.length, 2)
    const setting = lines.filter((line) => line.startsWith('export '))
    for (const command of commands) {
      refused(
        t,
        await here.paste([...setting, command]),
        `${command}, another server's key`,
        /signature on (tree head|checkpoint) did not verify/
      )
    }
  })
}

t.test('sigstore-go', async (t) => {
  const here = await newcomer(session, 'sid', 'go')
  // Its last lines verify what cosign's lines made.
  accepted(t, await here.paste(here.guide('cosign-3'), await token()), 'cosign')
  const lines = here.guide('sigstore-go')
  const done = await here.paste(lines, await token())
  accepted(t, done, 'all lines')
  t.equal(count(done, /Verification successful!/), 3)

  const verifying = lines.filter((line) => line.startsWith('sigstore-go-verification '))
  t.equal(verifying.length, 3)
  const [line = ''] = verifying
  const who = `WHO=${EMAIL}`
  const noMatch = /no matching CertificateIdentity found/
  refused(t, await here.paste(['WHO=joe@example.com', line]), 'other identity', noMatch)
  const otherIssuer = line.replace(person.issuer, user.issuer)
  t.not(otherIssuer, line)
  refused(t, await here.paste([who, otherIssuer]), 'other issuer', noMatch)

  const twin = await misled(t, here, 'go-misled')
  const elsewhere = await newcomer(stranger, 'sid', 'go')
  for (const at of [twin, elsewhere]) {
    for (const name of [
      'hello.txt',
      'cosign.pub',
      'hello.go.sigstore.json',
      'hello.key.sigstore.json'
    ]) {
      at.write(name, here.read(name))
    }
  }
  const byMirror = verifying.filter((line) => line.includes('-tufRootURL'))
  t.equal(byMirror.length, 2)
  for (const line of byMirror) {
    refused(t, await twin.paste([who, line]), "a stranger's root.json", NOT_ITS_ROOT)
  }
  for (const line of verifying) {
    const there = line.replace(session.server.url, stranger.server.url)
    refused(t, await elsewhere.paste([who, there]), 'by the trust of another server', STRANGE)
  }
  here.write('hello.txt', 'hello, changed\n')
  for (const line of verifying) {
    refused(
      t,
      await here.paste([who, line]),
      'tampered',
      /invalid signature when validating ASN\.1/
    )
  }
})

t.test('sigstore-js', async (t) => {
  const here = await newcomer(session, 'sid', 'js')
  const lines = here.guide('sigstore-js').map((line) => {
    return line === 'npm install sigstore' ? INSTALLED : line
  })
  t.ok(lines.includes(INSTALLED))
  const changing = (from: string, to: string) => {
    const at = lines.findIndex((line) => line.includes(from))
    if (at === -1) throw new Error(`no line with ${from}`)
    return lines.map((line, i) => (i === at ? line.replace(from, () => to) : line))
  }
  accepted(t, await here.paste(lines, await token()), 'all lines', /^verified$/m)
  const { verificationMaterial } = JSON.parse(here.read('hello.js.sigstore.json')) as {
    verificationMaterial: { timestampVerificationData: { rfc3161Timestamps: readonly object[] } }
  }
  t.equal(verificationMaterial.timestampVerificationData.rfc3161Timestamps.length, 1)

  for (const [name, changed, reason] of [
    [
      'other identity',
      changing(`WHO=${EMAIL}`, 'WHO=joe@example.com'),
      /certificate identity error/
    ],
    ['other issuer', changing(person.issuer, user.issuer), /expected issuer/],
    [
      'tampered',
      changing('verify(bundle, data,', "verify(bundle, Buffer.from('x'),"),
      /signature verification failed/
    ],
    [
      'by the trust of another server',
      changing(`${session.server.url}/tuf`, `${stranger.server.url}/tuf`),
      /timestamp could not be verified/
    ]
  ] as const) {
    const twin = here.twin(`js-${name.replaceAll(' ', '-')}`)
    if (name.startsWith('by ')) twin.write('root.json', strangersRoot)
    refused(t, await twin.paste(changed, await token()), name, reason)
  }
  const twin = await misled(t, here, 'js-misled')
  refused(
    t,
    await twin.paste(lines, await token()),
    "a stranger's root.json",
    /UnsignedMetadataError/
  )
})

t.test('the archive, carried to where the server is not', async (t) => {
  const { archiveUrl } = await readBootstrap(session.server.url)
  const files = new Map(Object.entries(unzipSync(await download(archiveUrl))))
  const mirror = await serveFiles(t, files)

  for (const suite of SUITES) {
    const signer = await newcomer(session, suite, `carried-from-${suite}`)
    const lines = signer.guide(GUIDES[suite])
    accepted(t, await signer.paste(lines, await token()), 'signed there')
    const here = withoutFiles(session, suite, `carried-to-${suite}`, signer.bootstrap)
    for (const [name, content] of files) {
      if (!name.includes('/')) here.write(name, content)
    }
    const sums = ['sha256sum -c --ignore-missing SHA256SUMS']
    accepted(t, await here.paste(sums), 'sums', /root.json: OK/)
    const initialize = `cosign initialize --mirror ${mirror}/tuf --root root.json`
    accepted(t, await here.paste([initialize]), `initialize, ${suite}`)
    const [verify = ''] = lines.filter((line) => / verify-blob .*"\$WHO"/.test(line))
    for (const file of verify.match(/\bhello\.\S+/g) ?? []) here.write(file, signer.read(file))
    const who = `WHO=${EMAIL}`
    accepted(t, await here.paste([who, verify]), 'verified there', /Verified OK/)
    here.write('hello.txt', 'hello, changed\n')
    refused(t, await here.paste([who, verify]), 'tampered', CHANGED)
  }
})
