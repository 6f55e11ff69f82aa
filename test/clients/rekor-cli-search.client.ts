// rekor-cli search: every kind of key the index answers to, alone and combined.
import t from 'tap'
import { SUITES } from './clients.js'
import { makeFreshMaterial, SIGNER_EMAIL } from './fresh-material.js'
import { digestOf, materialFlags, RECORDED } from './material.js'
import type { Material, PkiFormat } from './material.js'
import { entryIdOf, printed, rekorCli } from './rekor-cli.js'
import type { Uploaded } from './rekor-cli.js'
import { openSession, refused } from './session.js'

const NOTHING_FOUND = /no matching entries found/

for (const suite of SUITES) {
  t.test(suite, async (t) => {
    const session = await openSession(t)
    const all = [...RECORDED, ...(await makeFreshMaterial(t, session))]
    const entryIds = new Map<string, string>()
    for (const material of all) {
      const uploaded = printed<Uploaded>(
        await rekorCli(session, suite, ['upload', '--format', 'json', ...materialFlags(material)])
      )
      entryIds.set(material.name, entryIdOf(uploaded.Location))
    }
    /** Entry ids of the uploads that a condition picks. */
    const idsOf = (condition: (material: Material) => boolean) =>
      all.filter(condition).map(({ name }) => entryIds.get(name) ?? '')
    const search = (...flags: string[]) =>
      rekorCli(session, suite, ['search', '--format', 'json', ...flags])
    const found = async (...flags: string[]) =>
      printed<{ UUIDs: string[] }>(await search(...flags)).UUIDs.toSorted()

    const hasArtifact = (artifact: string) => (material: Material) => material.artifact === artifact
    await t.test('by artifact', async (t) => {
      for (const artifact of new Set(RECORDED.map((material) => material.artifact))) {
        // The index holds the digest an entry states, and files are looked up by their SHA-256.
        const expected = idsOf(
          (material) =>
            digestOf(material.artifact, 'sha256') === digestOf(artifact, 'sha256') &&
            material.hash !== 'sha512' &&
            // intoto 0.0.2 entries are found by their payload and subjects only.
            material.type !== 'intoto:0.0.2'
        ).toSorted()
        const sha = digestOf(artifact, 'sha256')
        t.same(await found('--artifact', artifact), expected, `--artifact ${artifact}`)
        t.same(await found('--sha', sha), expected, `--sha ${sha}`)
        t.same(await found('--sha', `sha256:${sha}`), expected, `--sha sha256:${sha}`)
      }
      const ed25519ph = RECORDED.find(({ hash }) => hash === 'sha512')
      const sha512 = digestOf(ed25519ph?.artifact ?? '', 'sha512')
      const expected = idsOf(({ hash }) => hash === 'sha512')
      t.equal(expected.length, 1)
      t.same(await found('--sha', sha512), expected, 'a SHA-512 digest')
      t.same(await found('--sha', `sha512:${sha512}`), expected, 'a SHA-512 digest, named so')
    })

    await t.test('by public key', async (t) => {
      const searched = new Set<PkiFormat>()
      for (const material of all) {
        const [key] = material.keys
        // dsse and intoto entries index their keys in another form, which this search does not look for.
        if (key === undefined || !/^(hashedrekord|rekord)$/.test(material.type)) continue
        searched.add(material.pkiFormat)
        const ids = await found('--public-key', key, '--pki-format', material.pkiFormat)
        const expected = idsOf(
          ({ keys, type }) => keys[0] === key && /^(hashedrekord|rekord)$/.test(type)
        ).toSorted()
        t.same(ids, expected, material.name)
      }
      t.same([...searched].toSorted(), ['minisign', 'pgp', 'ssh', 'x509'])
    })

    await t.test('by e-mail address', async (t) => {
      const named = (name: string) => idsOf((material) => material.name.startsWith(name)).toSorted()
      for (const [email, name] of [
        ['lhinds@protonmail.com', 'rekord, PGP'],
        ['not@real.com', 'rekord, PGP armoured, key of one user id without a name'],
        ['test@rekor.dev', 'rekord, ssh'],
        [SIGNER_EMAIL, 'hashedrekord, certificate'],
        [`gpg-${SIGNER_EMAIL}`, 'rekord, gpg'],
        [`ed25519-ssh-${SIGNER_EMAIL}`, 'rekord, ssh ed25519']
      ] as const) {
        const expected =
          name === 'rekord, PGP' || name === 'rekord, ssh'
            ? idsOf((material) => material.name === name)
            : named(name)
        t.not(expected.length, 0, `${name} was uploaded`)
        t.same(await found('--email', email), expected, email)
        t.same(await found('--email', email.toUpperCase()), expected, `${email} in capitals`)
      }
      refused(t, await search('--email', 'nobody@client-suite.example'), 'nobody', NOTHING_FOUND)
    })

    await t.test('by several at once', async (t) => {
      const [ecdsa, rsa] = RECORDED
      if (ecdsa === undefined || rsa === undefined) throw new Error('no recorded material')
      const sha = ['--sha', digestOf(ecdsa.artifact, 'sha256')]
      const key = ['--public-key', ecdsa.keys[0] ?? '', '--pki-format', 'x509']
      const both = idsOf(hasArtifact(ecdsa.artifact))
      t.ok(both.length > 1, 'one artifact, several entries')
      t.same(
        await found(...sha, ...key, '--operator', 'and'),
        idsOf(({ name }) => name === ecdsa.name),
        'and: the entry that has both'
      )
      const either = idsOf(
        (material) =>
          (material.artifact === ecdsa.artifact && material.hash !== 'sha512') ||
          material.keys[0] === ecdsa.keys[0]
      ).toSorted()
      t.same(await found(...sha, ...key, '--operator', 'or'), either, 'or: all that have one')
      t.same(await found(...sha, ...key), either, 'or is what happens when nothing is said')
      const pgpMaterial = all.find(({ pkiFormat }) => pkiFormat === 'pgp')
      refused(
        t,
        await search(
          ...sha,
          ...['--public-key', pgpMaterial?.keys[0] ?? '', '--pki-format', 'pgp'],
          ...['--operator', 'and']
        ),
        'and: nothing has both',
        NOTHING_FOUND
      )
    })

    await t.test('what is not there, what is not a search', async (t) => {
      refused(t, await search('--sha', '0'.repeat(64)), 'a digest nobody logged', NOTHING_FOUND)
      refused(
        t,
        await search('--public-key', session.logKeyFile, '--pki-format', 'pgp'),
        'a key of another format',
        /searchIndexBadRequest .*public key provided could not be parsed/
      )
    })
  })
}
