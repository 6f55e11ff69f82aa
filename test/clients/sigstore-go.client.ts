// The example verifier of sigstore-go as a second reader of the bundles cosign writes. Only the newer one can check
// bundles signed with a plain key.
import t from 'tap'
import { NEW_BUNDLE_TAMPERINGS } from './bundles.js'
import { SUITES } from './clients.js'
import { makeKey, otherLogKey, readBundle, signFlags, trustedRoot } from './cosign.js'
import { accepted, openSession, refused } from './session.js'
import { withChange } from './tamper.js'

const session = await openSession(t)
const baseUrl = session.server.url
const key = await makeKey(session, 'ecdsa', 'ecdsa')
const otherKey = await makeKey(session, 'other', 'ecdsa')
const root = session.write('root.json', trustedRoot({ baseUrl, key: session.logKey }))
const otherRoot = session.write('other-root.json', trustedRoot({ baseUrl, key: otherLogKey() }))
const predicate = session.write('predicate.json', '{"checked":"by the client suite"}')
const changedFile = session.write('changed.txt', 'an artifact nobody signed\n')

const COMMANDS = {
  'sign-blob': [],
  'attest-blob': ['--type', 'custom', '--predicate', predicate]
}

for (const suite of SUITES) {
  for (const [command, flags] of Object.entries(COMMANDS)) {
    t.test(`${command} by ${suite}`, async (t) => {
      const file = session.write(`${suite}-${command}.txt`, `${suite} ${command}\n`)
      const bundle = `${file}.sigstore.json`
      const made = await session.run(suite, 'cosign', [
        command,
        ...signFlags(session, suite, 'new', key),
        ...flags,
        ...['--bundle', bundle, file]
      ])
      accepted(t, made, command)
      const verify = (given: { artifact?: string; key?: string; root?: string; bundle?: string }) =>
        session.run('sid', 'sigstore-go-verification', [
          ...['-artifact', given.artifact ?? file, '-publicKey', given.key ?? key.publicFile],
          ...['-requireCTlog=false', '-trustedrootJSONpath', given.root ?? root],
          given.bundle ?? bundle
        ])
      accepted(t, await verify({}), 'bundle', /Verification successful!/)
      refused(
        t,
        await verify({ artifact: changedFile }),
        'changed artifact',
        /invalid signature when validating ASN\.1|digests do not match digests in statement/
      )
      refused(
        t,
        await verify({ key: otherKey.publicFile }),
        'wrong key',
        /transparency log certificate does not match/
      )
      refused(
        t,
        await verify({ root: otherRoot }),
        'other log key',
        /not enough verified log entries from transparency log: 0 < 1/
      )
      for (const { name, path, change, reason } of NEW_BUNDLE_TAMPERINGS) {
        const tampered = session.write(
          'tampered.sigstore.json',
          withChange(readBundle(bundle), path, change)
        )
        refused(t, await verify({ bundle: tampered }), `${name} changed`, reason)
      }
    })
  }
}
