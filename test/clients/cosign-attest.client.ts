// cosign attest-blob and verify-blob-attestation: the two kinds of entry an attestation can become, in both bundle
// formats, checked offline and by asking the log.
import t from 'tap'
import { NEW_BUNDLE_TAMPERINGS, NEW_ENTRY, OLD_BUNDLE_TAMPERINGS, OLD_ENTRY } from './bundles.js'
import { SUITES } from './clients.js'
import type { Suite } from './clients.js'
import { makeKey, otherLogKey, readBundle, signFlags, trustedRoot, verifyFlags } from './cosign.js'
import type { BundleFormat } from './cosign.js'
import { accepted, openSession, refused } from './session.js'
import { flipBase64, text, withChange } from './tamper.js'

const session = await openSession(t)
const keys = {
  ecdsa: await makeKey(session, 'ecdsa', 'ecdsa'),
  rsa: await makeKey(session, 'rsa', 'rsa'),
  other: await makeKey(session, 'other', 'ecdsa')
}
const baseUrl = session.server.url
const LOG_KEY = { SIGSTORE_REKOR_PUBLIC_KEY: session.logKeyFile }
const OTHER_LOG_KEY = { SIGSTORE_REKOR_PUBLIC_KEY: session.write('other-log.pem', otherLogKey()) }
const root = session.write('root.json', trustedRoot({ baseUrl, key: session.logKey }))
const otherRoot = session.write('other-root.json', trustedRoot({ baseUrl, key: otherLogKey() }))
const predicate = session.write('predicate.json', '{"checked":"by the client suite"}')
const changedFile = session.write('changed.txt', 'an artifact nobody attested\n')

interface Case {
  readonly suite: Suite
  readonly key: 'ecdsa' | 'rsa'
  /** Value of --rekor-entry-type. */
  readonly asked: 'dsse' | 'intoto'
  /** What arrives in the log. */
  readonly logged: 'dsse' | 'intoto'
  /** Who can read the entry in a new bundle. */
  readonly readers: readonly Suite[]
}

const CASES: readonly Case[] = [
  { suite: 'trixie', key: 'ecdsa', asked: 'dsse', logged: 'dsse', readers: ['trixie', 'sid'] },
  { suite: 'trixie', key: 'rsa', asked: 'dsse', logged: 'dsse', readers: ['trixie', 'sid'] },
  // cosign 2.5 puts intoto entries into new bundles too, and then neither generation can read them there.
  { suite: 'trixie', key: 'ecdsa', asked: 'intoto', logged: 'intoto', readers: [] },
  { suite: 'trixie', key: 'rsa', asked: 'intoto', logged: 'intoto', readers: [] },
  { suite: 'sid', key: 'ecdsa', asked: 'dsse', logged: 'dsse', readers: ['trixie', 'sid'] },
  { suite: 'sid', key: 'rsa', asked: 'dsse', logged: 'dsse', readers: ['trixie', 'sid'] },
  // cosign 3 still takes the flag and logs dsse all the same.
  { suite: 'sid', key: 'ecdsa', asked: 'intoto', logged: 'dsse', readers: ['trixie', 'sid'] }
]

for (const { suite, key: kind, asked, logged, readers } of CASES) {
  const name = `${suite}-${kind}-${asked}`
  const key = keys[kind]
  const attest = (format: BundleFormat, flags: readonly string[], file: string) =>
    session.run(suite, 'cosign', [
      'attest-blob',
      ...signFlags(session, suite, format, key),
      ...['--type', 'custom', '--predicate', predicate, '--rekor-entry-type', asked],
      ...flags,
      file
    ])

  t.test(`${suite}, ${kind} key, ${asked} entry, old bundle`, async (t) => {
    const file = session.write(`${name}-old.txt`, `${name} old\n`)
    const bundle = `${file}.bundle`
    const envelope = `${file}.attestation`
    accepted(
      t,
      await attest('old', ['--bundle', bundle, '--output-signature', envelope], file),
      'attest-blob'
    )
    t.equal(kindOf(text(readBundle(bundle), [...OLD_ENTRY, 'body'])), `${logged} 0.0.1`)

    const verify = (how: readonly string[], artifact = file, env = LOG_KEY) =>
      session.run(
        suite,
        'cosign',
        [
          ...['verify-blob-attestation', '--type', 'custom'],
          ...verifyFlags(suite, 'old'),
          ...how,
          artifact
        ],
        env
      )
    const noLogKey = /rekor log public key not found for payload/
    const otherSubject = /no matching subject digest found/
    const withKey = ['--key', key.publicFile]
    const bundled = [...withKey, '--bundle', bundle]
    accepted(t, await verify(bundled), 'bundle', /Verified OK/)
    refused(t, await verify(bundled, changedFile), 'bundle, changed artifact', otherSubject)
    refused(t, await verify(bundled, file, OTHER_LOG_KEY), 'bundle, other log key', noLogKey)
    for (const { name: what, path, change, reason } of OLD_BUNDLE_TAMPERINGS) {
      const tampered = session.write(
        `${name}-tampered.bundle`,
        withChange(readBundle(bundle), path, change)
      )
      const outcome = await verify([...withKey, '--bundle', tampered])
      refused(t, outcome, `bundle, ${what} changed`, reason)
    }

    // One question with two proposals, a dsse and an intoto entry: the log answers with the one it has.
    const asking = ['--signature', envelope, '--rekor-url', baseUrl]
    const online = [...withKey, ...asking]
    accepted(t, await verify(online), 'asking the log', /Verified OK/)
    refused(t, await verify(online, changedFile), 'asking the log, changed artifact', otherSubject)
    refused(t, await verify(online, file, OTHER_LOG_KEY), 'asking the log, other log key', noLogKey)
    refused(
      t,
      await verify(['--key', keys.other.publicFile, ...asking]),
      'asking the log, wrong key',
      /accepted signatures do not match threshold, Found: 0, Expected 1/
    )
  })

  t.test(`${suite}, ${kind} key, ${asked} entry, new bundle`, async (t) => {
    const file = session.write(`${name}-new.txt`, `${name} new\n`)
    const bundle = `${file}.sigstore.json`
    accepted(t, await attest('new', ['--bundle', bundle], file), 'attest-blob')
    t.equal(
      kindOf(text(readBundle(bundle), [...NEW_ENTRY, 'canonicalizedBody'])),
      `${logged} 0.0.1`
    )

    const verify = (
      by: Suite,
      given: { artifact?: string; key?: string; root?: string; bundle?: string }
    ) =>
      session.run(by, 'cosign', [
        ...['verify-blob-attestation', '--type', 'custom'],
        ...verifyFlags(by, 'new'),
        ...['--key', given.key ?? key.publicFile, '--trusted-root', given.root ?? root],
        ...['--bundle', given.bundle ?? bundle, given.artifact ?? file]
      ])
    for (const by of SUITES.filter((other) => !readers.includes(other))) {
      refused(t, await verify(by, {}), `${by}`, /unsupported entry type: \*intoto\.V001Entry/)
    }
    for (const by of readers) {
      accepted(t, await verify(by, {}), `verified by ${by}`, /Verified OK/)
      refused(
        t,
        await verify(by, { artifact: changedFile }),
        `${by}, changed artifact`,
        /provided artifact digests? do(es)? not match any digest|digests do not match digests in/
      )
      refused(
        t,
        await verify(by, { root: otherRoot }),
        `${by}, other log key`,
        /not enough verified log entries from transparency log: 0 < 1/
      )
      refused(
        t,
        await verify(by, { key: keys.other.publicFile }),
        `${by}, wrong key`,
        /transparency log certificate does not match/
      )
      const tamperings = [
        ...NEW_BUNDLE_TAMPERINGS,
        {
          name: 'envelope signature',
          path: ['dsseEnvelope', 'signatures', 0, 'sig'],
          change: flipBase64,
          reason: /transparency log signature does not match|does not match envelope/
        },
        {
          name: 'envelope payload',
          path: ['dsseEnvelope', 'payload'],
          change: flipBase64,
          reason: /accepted signatures do not match threshold|does not match envelope payload hash/
        }
      ]
      for (const { name: what, path, change, reason } of tamperings) {
        const tampered = session.write(
          `${name}-tampered.sigstore.json`,
          withChange(readBundle(bundle), path, change)
        )
        refused(t, await verify(by, { bundle: tampered }), `${by}, ${what} changed`, reason)
      }
    }
  })
}

/** `kind version` of a base64 body. */
function kindOf(body: string): string {
  const { kind, apiVersion } = JSON.parse(Buffer.from(body, 'base64').toString('utf8')) as {
    kind: string
    apiVersion: string
  }
  return `${kind} ${apiVersion}`
}
