// gitsign signs commits with certificates of this server and verifies them; what was changed afterwards is refused.
import { mkdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import { clientPath, runProgram, SUITES } from './clients.js'
import type { Suite } from './clients.js'
import { otherLogKey } from './cosign.js'
import {
  certificatesOf,
  expecting,
  type Identity,
  keylessTrustedRoot,
  openKeylessSession,
  rootCert,
  strangeKey,
  trustOf
} from './keyless.js'
import { assertLogged } from './logged.js'
import { accepted, openSession, refused } from './session.js'
import { startTufMirror } from './tuf-fixture.js'

const keyless = await openKeylessSession(t)
const { session, person, workload } = keyless
const { url } = session.server
const stranger = await openSession(t)
const otherRekorKey = otherLogKey()
const wrong = {
  ctKey: session.write('other-ctfe.pub', strangeKey()),
  rekorKey: session.write('other-rekor.pub', otherRekorKey),
  chain: session.write('other-root.pem', await rootCert(stranger))
}
const mirrors = {
  good: await openMirror('good'),
  /** Knows another log. */
  other: await openMirror('other', otherRekorKey)
}

/** The newer gitsign wants a mirror beside the files of the older one. @returns its variables */
async function openMirror(name: string, rekorKey = keyless.pem.rekorKey) {
  const mirror = await startTufMirror({
    'trusted_root.json': keylessTrustedRoot({ ...trustOf(keyless), rekorKey })
  })
  t.teardown(() => mirror.close())
  return {
    TUF_MIRROR: mirror.url,
    TUF_ROOT_JSON: session.write(`${name}.tuf-root.json`, mirror.root),
    TUF_ROOT: `${session.dir}/${name}.tuf`
  }
}

type Env = Readonly<Record<string, string>>

/** A repository whose commits one generation of gitsign signs. */
async function openRepository(suite: Suite, mode: 'online' | 'offline', name: string) {
  const home = `${session.dir}/${name}-home`
  const cwd = `${session.dir}/${name}`
  mkdirSync(home)
  mkdirSync(cwd)
  const env = (more: Env) => ({
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Jane',
    GIT_AUTHOR_EMAIL: 'jane@example.com',
    GIT_COMMITTER_NAME: 'Jane',
    GIT_COMMITTER_EMAIL: 'jane@example.com',
    GITSIGN_REKOR_MODE: mode,
    ...session.proxyEnv,
    ...more
  })
  const run = (program: string, args: readonly string[], more: Env, input?: string) =>
    runProgram(program, args, {
      cwd,
      env: env(more),
      ...(input === undefined ? {} : { input })
    })
  /** git itself has to succeed. */
  const git = async (args: readonly string[], input?: string): Promise<string> => {
    const { status, stdout, stderr, command } = await run('git', args, {}, input)
    if (status !== 0) throw new Error(`${command}: ${stderr}`)
    return stdout
  }
  await git(['init', '--quiet'])
  for (const [key, value] of [
    ['gpg.format', 'x509'],
    ['gpg.x509.program', clientPath(suite, 'gitsign')],
    ['commit.gpgsign', 'true'],
    ['gitsign.fulcio', url],
    ['gitsign.rekor', url],
    ['gitsign.issuer', person.issuer],
    ['gitsign.rekorMode', mode]
  ] as const) {
    await git(['config', key, value])
  }
  const trust = suite === 'sid' ? { ...keyless.env(), ...mirrors.good } : keyless.env()
  return {
    git,
    commit: async (identity: Identity) => {
      const token = { SIGSTORE_ID_TOKEN: await identity.idToken() }
      return run('git', ['commit', '--quiet', '--allow-empty', '-m', 'signed'], {
        ...trust,
        ...token
      })
    },
    verifyCommit: () => run('git', ['verify-commit', 'HEAD'], trust),
    verify: (who: readonly string[], replaced: Env = {}, commit = 'HEAD') =>
      run(clientPath(suite, 'gitsign'), ['verify', ...who, commit], { ...trust, ...replaced })
  }
}

type Repository = Awaited<ReturnType<typeof openRepository>>

for (const suite of SUITES) {
  for (const [mode, identity] of [
    ['online', person],
    ['offline', person],
    ['offline', workload]
  ] as const) {
    t.test(`${suite}, log entry ${mode}, ${identity.type}`, async (t) => {
      const name = `${suite}-${mode}-${identity.type}`
      const repository = await openRepository(suite, mode, name)
      const { commit, verify, verifyCommit } = repository
      accepted(t, await commit(identity), 'commit')
      await assertCertificate(t, repository)

      const right = expecting(identity)
      const verified = await verify(right)
      accepted(t, verified, 'verify', /Validated Git signature: true/)
      accepted(t, verified, 'verify', /Validated Certificate claims: true/)
      if (mode === 'online') accepted(t, verified, 'verify', /Validated Rekor entry: true/)
      accepted(t, await verifyCommit(), 'git verify-commit', /Validated Git signature: true/)
      const noMatch = /none of the expected identities/
      for (const [name, wrongName] of [
        ['other identity', { name: 'joe@example.com' }],
        ['other issuer', { issuer: 'https://issuer.example' }]
      ] as const) {
        refused(t, await verify(expecting(identity, wrongName)), name, noMatch)
      }
      if (identity === person) await refusals(t, suite, mode, repository)
    })
  }
}

/** The certificate in the signature is one of ours, and logged. */
async function assertCertificate(t: Test, { git }: Repository): Promise<void> {
  const commit = await git(['cat-file', 'commit', 'HEAD'])
  const [, body = ''] =
    /-----BEGIN SIGNED MESSAGE-----\n([^]*?)-----END SIGNED MESSAGE-----/.exec(commit) ?? []
  const cms = `-----BEGIN CMS-----\n${body.replace(/^ +/gm, '')}-----END CMS-----\n`
  const args = ['cms', '-cmsout', '-inform', 'PEM', '-noout', '-print']
  t.ok(body, 'signed')
  const printed = await runProgram('openssl', args, { cwd: session.dir, input: cms })
  t.equal(printed.status, 0, 'openssl reads the signature', { ...printed, cms })
  const listed = await runProgram('openssl', ['pkcs7', '-print_certs'], {
    cwd: session.dir,
    // Only in its labels: the base64 between them may have the same letters in it.
    input: cms.replace(/(?<=-----(?:BEGIN|END) )CMS(?=-----)/g, 'PKCS7')
  })
  const certificate = certificatesOf(listed.stdout).find(({ ca }) => !ca)
  if (certificate === undefined) throw new Error(`no certificate: ${listed.stderr}`)
  await assertLogged(t, keyless, certificate)
}

const NO_LOG_KEY = {
  online: /failed to validate rekor entry: .*rekor log public key not found for payload/,
  // An entry in the commit that does not verify is passed over, and none is left.
  offline: /failed to validate rekor entry: could not find matching tlog entry/
}

/** What trust is made of, each of it wrong, and a commit that is not the one that was signed. */
async function refusals(
  t: Test,
  suite: Suite,
  mode: 'online' | 'offline',
  { git, verify }: Repository
): Promise<void> {
  const right = expecting(person)
  const { ctKey, rekorKey, chain } = wrong
  refused(
    t,
    await verify(right, keyless.env({ ctKey })),
    'other CT key',
    /ctfe public key not found/
  )
  refused(
    t,
    await verify(right, keyless.env({ chain })),
    'other root',
    /x509: certificate signed by unknown authority/
  )
  // The newer one takes the log key from the mirror.
  const otherLog = suite === 'sid' ? mirrors.other : keyless.env({ rekorKey })
  refused(t, await verify(right, otherLog), 'other log key', NO_LOG_KEY[mode])

  // The same signature on another commit.
  const commit = await git(['cat-file', 'commit', 'HEAD'])
  const args = ['hash-object', '-t', 'commit', '-w', '--stdin']
  const changed = (await git(args, commit.replace(/\nsigned\n$/, '\nchanged\n'))).trim()
  t.not(changed, (await git(['rev-parse', 'HEAD'])).trim())
  refused(
    t,
    await verify(right, {}, changed),
    'changed commit',
    /failed to verify detached signature: invalid message digest/
  )
}
