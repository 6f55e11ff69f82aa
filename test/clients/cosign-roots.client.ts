// cosign against what surrounds a signature: the files that say which log to trust and to use, signatures the log
// already has, signatures it never saw.
import t from 'tap'
import { NEW_ENTRY, OLD_ENTRY } from './bundles.js'
import { SUITES } from './clients.js'
import type { Suite } from './clients.js'
import {
  FORMATS,
  logIdOf,
  makeKey,
  otherLogKey,
  readBundle,
  signFlags,
  trustedRoot,
  verifyFlags
} from './cosign.js'
import { accepted, openSession, refused } from './session.js'
import { member } from './tamper.js'
import type { Json } from './tamper.js'

const session = await openSession(t)
const key = await makeKey(session, 'ecdsa', 'ecdsa')
const rsaKey = await makeKey(session, 'rsa', 'rsa')
const baseUrl = session.server.url
const changedFile = session.write('changed.txt', 'an artifact nobody signed\n')
const LOG_KEY = { SIGSTORE_REKOR_PUBLIC_KEY: session.logKeyFile }

function verifyBundle(suite: Suite, root: string, bundle: string, artifact: string) {
  return session.run(suite, 'cosign', [
    'verify-blob',
    ...verifyFlags(suite, 'new'),
    ...['--key', key.publicFile, '--trusted-root', root, '--bundle', bundle, artifact]
  ])
}

for (const suite of SUITES) {
  t.test(`${suite}, the same signature again`, async (t) => {
    const file = session.write(`${suite}-again.txt`, `${suite} again\n`)
    const indexes: Json[] = []
    for (const format of FORMATS) {
      for (const attempt of ['first', 'second']) {
        const bundle = `${file}.${format}.${attempt}`
        // PKCS#1 v1.5 signatures are always the same bytes, so the log has all but the first already (409).
        const signed = await session.run(suite, 'cosign', [
          'sign-blob',
          ...signFlags(session, suite, format, rsaKey),
          ...['--bundle', bundle, file]
        ])
        accepted(t, signed, `${format} bundle, ${attempt} time`, /Wrote bundle to file/)
        const entry = format === 'old' ? OLD_ENTRY : NEW_ENTRY
        indexes.push(member(readBundle(bundle), [...entry, 'logIndex']))
      }
    }
    t.equal(new Set(indexes.map(Number)).size, 1, 'every bundle names the one entry')
  })

  t.test(`${suite}, a signature that is not in the log`, async (t) => {
    const file = session.write(`${suite}-unlogged.txt`, `${suite} unlogged\n`)
    const signed = await session.run(suite, 'cosign', [
      'sign-blob',
      ...signFlags(session, suite, 'old', key),
      ...['--tlog-upload=false', '--output-signature', `${file}.sig`, file]
    ])
    accepted(t, signed, 'sign-blob without log')
    const verified = await session.run(
      suite,
      'cosign',
      [
        'verify-blob',
        ...verifyFlags(suite, 'old'),
        ...['--key', key.publicFile, '--rekor-url', baseUrl],
        ...['--signature', `${file}.sig`, file]
      ],
      LOG_KEY
    )
    refused(t, verified, 'asking the log', /signature not found in transparency log/)
  })

  t.test(`${suite}, trusted roots made by hand`, async (t) => {
    const file = session.write(`${suite}-roots.txt`, `${suite} roots\n`)
    const bundle = `${file}.sigstore.json`
    const signed = await session.run(suite, 'cosign', [
      'sign-blob',
      ...signFlags(session, suite, 'new', key),
      ...['--bundle', bundle, file]
    ])
    accepted(t, signed, 'sign-blob', /Wrote bundle to file/)
    const good = session.write(`${suite}-root.json`, trustedRoot({ baseUrl, key: session.logKey }))
    accepted(t, await verifyBundle(suite, good, bundle, file), 'this log', /Verified OK/)

    const otherKey = otherLogKey()
    const wrong = {
      'another log': { baseUrl, key: otherKey },
      'another key under this log id': { baseUrl, key: otherKey, logId: logIdOf(session.logKey) },
      'this key, but valid only later': {
        baseUrl,
        key: session.logKey,
        validFrom: '2999-01-01T00:00:00Z'
      }
    }
    for (const [name, log] of Object.entries(wrong)) {
      const root = session.write(`${suite}-wrong-root.json`, trustedRoot(log))
      refused(
        t,
        await verifyBundle(suite, root, bundle, file),
        name,
        /not enough verified log entries from transparency log: 0 < 1/
      )
    }
  })
}

t.test('trusted root and signing config as cosign 3 makes them', async (t) => {
  const root = `${session.dir}/made-root.json`
  const config = `${session.dir}/made-config.json`
  const since = 'start-time=2024-01-01T00:00:00Z'
  const madeRoot = await session.run('sid', 'cosign', [
    ...['trusted-root', 'create', '--out', root],
    `--rekor=url=${baseUrl},public-key=${session.logKeyFile},${since}`
  ])
  accepted(t, madeRoot, 'trusted-root create')
  const madeConfig = await session.run('sid', 'cosign', [
    ...['signing-config', 'create', '--out', config, '--rekor-config=ANY'],
    `--rekor=url=${baseUrl},api-version=1,${since},operator=test`
  ])
  accepted(t, madeConfig, 'signing-config create')

  const file = session.write('made.txt', 'made\n')
  const bundle = `${file}.sigstore.json`
  const signed = await session.run('sid', 'cosign', [
    ...['sign-blob', '--yes', '--key', key.privateFile],
    ...['--signing-config', config, '--trusted-root', root, '--bundle', bundle, file]
  ])
  accepted(t, signed, 'sign-blob by signing config', /Wrote bundle to file/)
  for (const suite of SUITES) {
    accepted(t, await verifyBundle(suite, root, bundle, file), `${suite}`, /Verified OK/)
    refused(
      t,
      await verifyBundle(suite, root, bundle, changedFile),
      `${suite}, changed artifact`,
      /invalid signature when validating ASN\.1/
    )
  }
})

t.test('trusted root as cosign 2 makes it', async (t) => {
  const root = `${session.dir}/made-root-2.json`
  const madeRoot = await session.run('trixie', 'cosign', [
    ...['trusted-root', 'create', '--out', root, '--rekor-key', session.logKeyFile],
    ...['--rekor-start-time', '2024-01-01T00:00:00Z']
  ])
  accepted(t, madeRoot, 'trusted-root create')
  const file = session.write('made-2.txt', 'made by 2\n')
  const bundle = `${file}.sigstore.json`
  const signed = await session.run('trixie', 'cosign', [
    'sign-blob',
    ...signFlags(session, 'trixie', 'new', key),
    ...['--bundle', bundle, file]
  ])
  accepted(t, signed, 'sign-blob', /Wrote bundle to file/)
  for (const suite of SUITES) {
    accepted(t, await verifyBundle(suite, root, bundle, file), `${suite}`, /Verified OK/)
  }
})
