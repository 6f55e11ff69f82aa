// cosign sign-blob and verify-blob with a key and a log address: what the log gave is accepted, offline or by asking the
// log again, and everything that was changed afterwards is refused.
import t from 'tap'
import { NEW_BUNDLE_TAMPERINGS, NEW_ENTRY, OLD_BUNDLE_TAMPERINGS, OLD_ENTRY } from './bundles.js'
import { SUITES } from './clients.js'
import type { Suite } from './clients.js'
import { makeKey, otherLogKey, readBundle, signFlags, trustedRoot, verifyFlags } from './cosign.js'
import { accepted, openSession, refused } from './session.js'
import { flipBase64, member, text, withChange } from './tamper.js'

const session = await openSession(t)
const keys = {
  ecdsa: await makeKey(session, 'ecdsa', 'ecdsa'),
  rsa: await makeKey(session, 'rsa', 'rsa'),
  other: await makeKey(session, 'other', 'ecdsa')
}
const LOG_KEY = { SIGSTORE_REKOR_PUBLIC_KEY: session.logKeyFile }
const OTHER_LOG_KEY = { SIGSTORE_REKOR_PUBLIC_KEY: session.write('other-log.pem', otherLogKey()) }
const root = session.write(
  'root.json',
  trustedRoot({ baseUrl: session.server.url, key: session.logKey })
)
const changedFile = session.write('changed.txt', 'an artifact nobody signed\n')
const BAD_SIGNATURE = /invalid signature when validating ASN\.1|crypto\/rsa: verification error/

for (const suite of SUITES) {
  for (const kind of ['ecdsa', 'rsa'] as const) {
    const key = keys[kind]

    t.test(`${suite}, ${kind} key, old bundle`, async (t) => {
      const file = session.write(`${suite}-${kind}-old.txt`, `${suite} ${kind} old\n`)
      const bundle = `${file}.bundle`
      const signature = `${file}.sig`
      const signed = await session.run(suite, 'cosign', [
        'sign-blob',
        ...signFlags(session, suite, 'old', key),
        ...['--bundle', bundle, '--output-signature', signature, file]
      ])
      accepted(t, signed, 'sign-blob', /Wrote bundle to file/)
      const logIndex = member(readBundle(bundle), [...OLD_ENTRY, 'logIndex'])
      t.equal(
        await session.bodyAt(Number(logIndex)),
        text(readBundle(bundle), [...OLD_ENTRY, 'body']),
        'the bundle holds the body the log has at its index'
      )

      const verify = (how: readonly string[], artifact = file, env = LOG_KEY) =>
        session.run(
          suite,
          'cosign',
          ['verify-blob', ...verifyFlags(suite, 'old'), ...how, artifact],
          env
        )
      const withKey = ['--key', key.publicFile]
      const bundled = [...withKey, '--bundle', bundle]
      accepted(t, await verify(bundled), 'bundle', /Verified OK/)
      refused(
        t,
        await verify(bundled, changedFile),
        'bundle, changed artifact',
        /matching bundle to payload/
      )
      refused(
        t,
        await verify(bundled, file, OTHER_LOG_KEY),
        'bundle, other log key',
        /rekor log public key not found for payload/
      )
      for (const { name, path, change, reason } of OLD_BUNDLE_TAMPERINGS) {
        const tampered = session.write(
          `${suite}-${kind}-tampered.bundle`,
          withChange(readBundle(bundle), path, change)
        )
        const outcome = await verify([...withKey, '--bundle', tampered])
        refused(t, outcome, `bundle, ${name} changed`, reason)
      }

      // Both generations verify an old bundle with the key inside it and ignore --key, so a wrong key shows only where
      // the signature comes alone.
      const online = ['--signature', signature, '--rekor-url', session.server.url]
      // The log reads what it is asked for as it reads an upload, so the signature must fit here too.
      const notSigned = /\[400\] searchLogQueryBadRequest .*verifying signature: /
      accepted(t, await verify([...withKey, ...online]), 'asking the log', /Verified OK/)
      refused(
        t,
        await verify([...withKey, ...online], changedFile),
        'asking the log, changed artifact',
        notSigned
      )
      refused(
        t,
        await verify([...withKey, ...online], file, OTHER_LOG_KEY),
        'asking the log, other log key',
        /rekor log public key not found for payload/
      )
      refused(
        t,
        await verify(['--key', keys.other.publicFile, ...online]),
        'asking the log, wrong key',
        notSigned
      )
    })

    t.test(`${suite}, ${kind} key, new bundle`, async (t) => {
      const file = session.write(`${suite}-${kind}-new.txt`, `${suite} ${kind} new\n`)
      const bundle = `${file}.sigstore.json`
      const signed = await session.run(suite, 'cosign', [
        'sign-blob',
        ...signFlags(session, suite, 'new', key),
        ...['--bundle', bundle, file]
      ])
      accepted(t, signed, 'sign-blob', /Wrote bundle to file/)
      t.match(member(readBundle(bundle), [...NEW_ENTRY, 'kindVersion']), {
        kind: 'hashedrekord',
        version: '0.0.1'
      })

      const verify = (by: Suite, given: { artifact?: string; key?: string; bundle?: string }) =>
        session.run(by, 'cosign', [
          'verify-blob',
          ...verifyFlags(by, 'new'),
          ...['--key', given.key ?? key.publicFile, '--trusted-root', root],
          ...['--bundle', given.bundle ?? bundle, given.artifact ?? file]
        ])
      for (const by of SUITES) {
        accepted(t, await verify(by, {}), `bundle, verified by ${by}`, /Verified OK/)
      }
      refused(t, await verify(suite, { artifact: changedFile }), 'changed artifact', BAD_SIGNATURE)
      refused(
        t,
        await verify(suite, { key: keys.other.publicFile }),
        'wrong key',
        /transparency log certificate does not match/
      )
      const tamperings = [
        ...NEW_BUNDLE_TAMPERINGS,
        {
          name: 'artifact signature',
          path: ['messageSignature', 'signature'],
          change: flipBase64,
          reason: /transparency log signature does not match/
        }
      ]
      for (const { name, path, change, reason } of tamperings) {
        const tampered = session.write(
          `${suite}-${kind}-tampered.sigstore.json`,
          withChange(readBundle(bundle), path, change)
        )
        refused(t, await verify(suite, { bundle: tampered }), `${name} changed`, reason)
      }
    })
  }
}
