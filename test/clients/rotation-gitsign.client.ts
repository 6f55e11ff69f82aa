// Commits from before and after a rotation of everything, by the lines that the server gives for gitsign, and what its note says
// of older keys.
import t, { type Test } from 'tap'
import type { Suite } from './clients.js'
import { EMAIL, openKeylessSession } from './keyless.js'
import { newcomer, type Newcomer } from './newcomer.js'
import { runSigstead } from './server.js'
import { accepted, refused } from './session.js'

const keyless = await openKeylessSession(t)
const { session, person } = keyless
const git = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Jane',
  GIT_AUTHOR_EMAIL: EMAIL,
  GIT_COMMITTER_NAME: 'Jane',
  GIT_COMMITTER_EMAIL: EMAIL
}
const VARIABLES = '. ./cosign.env'
const VALID = /Validated Certificate claims: true/

async function token() {
  return { ...git, SIGSTORE_ID_TOKEN: await person.idToken() }
}

/** The one line of the guide that begins so. */
function lineOf(at: Newcomer, start: string): string {
  const lines = at.guide('gitsign').filter((line) => line.startsWith(start))
  if (lines.length !== 1) throw new Error(`${lines.length} lines begin with ${start}`)
  return lines[0] ?? ''
}

/** @param trust lines that say what to believe @param commit in the repository of `signer` */
function verify(by: Newcomer, trust: readonly string[], signer: Newcomer, commit = 'HEAD') {
  const chain = `git config gitsign.timestampCertChain "${by.dir}/tsa-all.pem"`
  const line = lineOf(by, 'gitsign verify ').replace('HEAD', commit)
  const cd = `cd ${signer.dir}/hello-repository`
  return by.paste([...trust, cd, chain, `WHO=${EMAIL}`, line], git)
}

async function signAll(t: Test, suite: Suite, name: string): Promise<Newcomer> {
  const at = await newcomer(session, suite, `${suite}-${name}`)
  accepted(t, await at.paste(at.guide('gitsign'), await token()), `${suite}, all lines`, VALID)
  return at
}

t.test('gitsign', async (t) => {
  const before = { trixie: await signAll(t, 'trixie', 'a'), sid: await signAll(t, 'sid', 'a') }
  for (const part of ['log', 'ct', 'ca', 'tsa']) {
    await runSigstead(['rotate', part, '--data-dir', session.dataDir])
  }
  const after = { trixie: await signAll(t, 'trixie', 'b'), sid: await signAll(t, 'sid', 'b') }
  const { files } = after.sid.bootstrap
  const [older = ''] = files.map(({ name }) => name).filter((name) => /^ctfe-.*\.pub$/.test(name))
  t.ok(older, 'the older key of the CT log')

  const { trixie, sid } = after
  const initialize = lineOf(trixie, 'gitsign initialize ')
  const both = [VARIABLES, initialize]
  const [old, now] = [before.trixie, after.trixie]
  accepted(t, await verify(trixie.twin('c'), [initialize], old), '0.13, mirror, old', VALID)
  accepted(t, await verify(trixie.twin('d'), [initialize], now), '0.13, mirror, new', VALID)
  refused(
    t,
    await verify(trixie.twin('e'), both, old),
    '0.13, variables, old',
    /rekor log public key not found for payload/
  )
  refused(
    t,
    await verify(before.trixie, [], now),
    '0.13, a home of before',
    /x509: certificate signed by unknown authority|rekor log public key not found for payload/
  )

  accepted(t, await verify(sid.twin('f'), both, after.sid), '0.16, new', VALID)
  const noKey = /ctfe public key not found for payload/
  refused(t, await verify(sid.twin('g'), both, before.sid), '0.16, old', noKey)
  const key = `export SIGSTORE_CT_LOG_PUBLIC_KEY_FILE="$PWD/${older}"`
  const withOlder = [...both, key]
  accepted(t, await verify(sid.twin('h'), withOlder, before.sid), '0.16, old, its key', VALID)
  refused(t, await verify(sid.twin('i'), withOlder, after.sid), '0.16, new, older key', noKey)
})
