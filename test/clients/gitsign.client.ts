// gitsign signs commits with certificates of this server and verifies them; what was changed afterwards is refused.
import { mkdirSync } from 'node:fs'
import t from 'tap'
import { clientPath, runProgram, SUITES } from './clients.js'
import type { Outcome, Suite } from './clients.js'
import { EMAIL, keylessTrustedRoot, openKeylessSession, strangeKey } from './keyless.js'
import { otherLogKey } from './cosign.js'
import { accepted, refused } from './session.js'
import { startTufMirror } from './tuf-fixture.js'

const keyless = await openKeylessSession(t)
const { session, issuer, pem } = keyless
const { url } = session.server
const trust = { ...pem, rekorUrl: url, fulcioUrl: url, ctUrl: keyless.ctUrl }
const mirror = await startTufMirror({ 'trusted_root.json': keylessTrustedRoot(trust) })
t.teardown(() => mirror.close())

const ME = ['--certificate-identity', EMAIL, '--certificate-oidc-issuer', issuer]
const SOMEBODY = ['--certificate-identity', 'joe@example.com', '--certificate-oidc-issuer', issuer]
const ELSEWHERE = ['--certificate-identity', EMAIL, '--certificate-oidc-issuer', 'https://x.test']

// The older one knows nothing of a mirror and takes its trust from files; the newer one wants both.
const MIRROR = {
  TUF_MIRROR: mirror.url,
  TUF_ROOT_JSON: session.write('tuf-root.json', mirror.root)
}

for (const suite of SUITES) {
  for (const mode of ['online', 'offline'] as const) {
    t.test(`${suite}, log entry ${mode}`, async (t) => {
      const home = `${session.dir}/git-home-${suite}-${mode}`
      const work = `${session.dir}/work-${suite}-${mode}`
      mkdirSync(home)
      mkdirSync(work)
      const env = (files: Readonly<Record<string, string>>) => ({
        HOME: home,
        PATH: `${clientPath(suite, '')}:${process.env['PATH'] ?? ''}`,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'Jane',
        GIT_AUTHOR_EMAIL: EMAIL,
        GIT_COMMITTER_NAME: 'Jane',
        GIT_COMMITTER_EMAIL: EMAIL,
        GITSIGN_REKOR_MODE: mode,
        ...files,
        ...(suite === 'sid' ? { ...MIRROR, TUF_ROOT: `${home}/tuf` } : {})
      })
      const git = async (args: readonly string[], more: Record<string, string> = {}) =>
        runProgram('git', args, { cwd: work, env: { ...env(keyless.env()), ...more } })
      const must = async (outcome: Promise<Outcome>): Promise<string> => {
        const { status, stdout, stderr, command } = await outcome
        if (status !== 0) throw new Error(`${command}: ${stderr}`)
        return stdout.trim()
      }
      await must(git(['init', '--quiet']))
      for (const [name, value] of [
        ['gpg.format', 'x509'],
        ['gpg.x509.program', clientPath(suite, 'gitsign')],
        ['commit.gpgsign', 'true'],
        ['gitsign.fulcio', url],
        ['gitsign.rekor', url],
        ['gitsign.issuer', issuer],
        ['gitsign.rekorMode', mode]
      ] as const) {
        await must(git(['config', name, value]))
      }
      const token = { SIGSTORE_ID_TOKEN: await keyless.idToken() }
      const committed = await git(['commit', '--quiet', '--allow-empty', '-m', 'signed'], token)
      accepted(t, committed, 'commit')
      t.match(await must(git(['cat-file', 'commit', 'HEAD'])), /BEGIN SIGNED MESSAGE/)

      const verify = (who: readonly string[], files = keyless.env(), commit = 'HEAD') =>
        runProgram(clientPath(suite, 'gitsign'), ['verify', ...who, commit], {
          cwd: work,
          env: env(files)
        })
      accepted(t, await verify(ME), 'verify', /Validated Git signature: true/)
      accepted(t, await verify(ME), 'verify', /Validated Certificate claims: true/)
      refused(t, await verify(SOMEBODY), 'other identity', /none of the expected identities/)
      refused(t, await verify(ELSEWHERE), 'other issuer', /none of the expected identities/)
      await refusedFiles(t, suite, verify)

      // The same signature on another commit.
      const commit = await must(git(['cat-file', 'commit', 'HEAD']))
      const changed = await must(
        runProgram('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], {
          cwd: work,
          env: env({}),
          input: `${commit.replace(/\nsigned$/, '\nchanged')}\n`
        })
      )
      refused(
        t,
        await verify(ME, keyless.env(), changed),
        'changed commit',
        /failed to verify|invalid|not found|could not find|mismatch|digest/i
      )
    })
  }
}

type Verify = (who: readonly string[], files?: Readonly<Record<string, string>>) => Promise<Outcome>

/** What the files of trust are for: each of them wrong. The newer one takes the log key from the mirror. */
async function refusedFiles(t: Parameters<typeof accepted>[0], suite: Suite, verify: Verify) {
  const ctKey = session.write('other-ctfe.pub', strangeKey())
  const noSct = /ctfe public key not found/
  refused(t, await verify(ME, keyless.env({ ctKey })), 'other CT key', noSct)
  if (suite === 'sid') return
  const rekorKey = session.write('other-rekor.pub', otherLogKey())
  const noKey = /rekor log public key not found|unable to|failed to/
  refused(t, await verify(ME, keyless.env({ rekorKey })), 'other log key', noKey)
}
