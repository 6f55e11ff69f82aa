import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { zipBootstrap } from '../../src/trust/bootstrap-archive.js'
import {
  BARE,
  FULL,
  ISSUER,
  NO_CT,
  PUBLIC_URL,
  ROOT,
  STATES,
  build,
  fileOf,
  guideOf,
  hostile
} from '../helpers/bootstrap.js'
import { sha256, trustApp } from '../helpers/trust-app.js'

t.test('what it says of the server', async (t) => {
  const content = build(FULL, {
    publicUrl: `${PUBLIC_URL}/`,
    issuers: ['https://other.example', ISSUER]
  })
  t.match(content, {
    publicUrl: PUBLIC_URL,
    operator: FULL.operator,
    issuers: [ISSUER, 'https://other.example'],
    tuf: { mirrorUrl: `${PUBLIC_URL}/tuf`, rootSha256: sha256(ROOT) }
  })
  t.equal(content.issuers.length, 2, 'each once, the one that clients are sent to first')
  t.same(
    content.clients.map(({ id }) => id),
    [
      'files',
      'cosign-3',
      'cosign-2',
      'gitsign',
      'rekor-cli',
      'sigstore-go',
      'sigstore-js',
      'sigstore-python',
      'policy-controller',
      'kyverno'
    ]
  )
  for (const { name, bytes, sha256: hash } of content.files) t.equal(hash, sha256(bytes), name)
  t.same(fileOf(content, 'root.json'), ROOT)
  t.throws(() => build(FULL, { files: [] }), { code: 'internal', message: /rekor\.pub/ })
})

t.test('the API serves all of it as the document says', async (t) => {
  for (const [name, state] of Object.entries(STATES)) {
    for (const content of [build(state), hostile(state)]) {
      const { inject } = await trustApp({ bootstrap: () => content })
      const { status, json } = await inject({ url: '/bootstrap.json' })
      t.equal(status, 200, name)
      const names = (json as { files: { name: string }[] }).files.map((file) => file.name)
      t.same(
        names,
        content.files.map((file) => file.name)
      )
      for (const file of names) {
        t.equal((await inject({ url: `/bootstrap/${file}` })).status, 200, file)
      }
    }
  }
})

t.test('documents that a guide names are there, and nothing says undefined', async (t) => {
  for (const state of Object.values(STATES)) {
    for (const content of [build(state), hostile(state)]) {
      for (const { documents, lines, note, id } of content.clients) {
        for (const name of documents) t.ok(fileOf(content, name).length > 0)
        t.notMatch(`${lines}${note}`, /undefined|NaN|\[object|  +--/, id)
        t.match(lines, /[^\n]\n$/)
      }
      for (const { name, bytes } of content.files) {
        t.notMatch(Buffer.from(bytes).toString(), /undefined|\[object/, name)
      }
    }
  }
})

t.test('cosign.env, read where the files are', async (t) => {
  for (const [state, expected] of [
    [FULL, ['REKOR_PUBLIC_KEY', 'CT_LOG_PUBLIC_KEY_FILE', 'ROOT_FILE', 'TSA_CERTIFICATE_FILE']],
    [NO_CT, ['REKOR_PUBLIC_KEY', 'ROOT_FILE', 'TSA_CERTIFICATE_FILE']],
    [BARE, ['REKOR_PUBLIC_KEY']]
  ] as const) {
    const content = build(state)
    const dir = `${t.testdir()}/with a $space`
    mkdirSync(dir)
    for (const { name, bytes } of content.files) writeFileSync(`${dir}/${name}`, bytes)
    const script = '. ./cosign.env && cd / && env'
    const env = execFileSync('sh', ['-c', script], { cwd: dir, env: {} }).toString()
    const variables = [...env.matchAll(/^SIGSTORE_(\w+)=(.*)$/gm)]
    t.same(variables.map(([, name]) => name).sort(), expected.toSorted())
    for (const [, name, path = ''] of variables) {
      t.match(readFileSync(path, 'utf8'), /^-----BEGIN (PUBLIC KEY|CERTIFICATE)-----\n/, `${name}`)
    }
  }
})

t.test('the archive', async (t) => {
  const content = build()
  const zip = zipBootstrap(content)
  t.same(zipBootstrap(build()), zip, 'equal content, equal bytes')
  const dir = t.testdir()
  writeFileSync(`${dir}/bootstrap.zip`, zip)
  // Somewhere else, at another time: there is no local time in it.
  const script = `
    import zipfile, sys
    with zipfile.ZipFile(sys.argv[1]) as archive:
      assert archive.testzip() is None
      for entry in archive.infolist():
        print(entry.filename, entry.date_time)
        archive.extract(entry, sys.argv[2])`
  const listed = execFileSync(
    'python3',
    ['-c', script.replace(/^ {4}/gm, ''), `${dir}/bootstrap.zip`, `${dir}/out`],
    { env: { ...process.env, TZ: 'Asia/Tokyo' } }
  )
    .toString()
    .trim()
    .split('\n')
  const expected = [
    'SHA256SUMS',
    ...[
      'README.txt',
      ...content.files.map(({ name }) => name),
      ...content.tuf.files.map(({ path }) => `tuf/${path}`)
    ].sort()
  ]
  t.same(
    listed,
    expected.map((name) => `${name} (1980, 1, 1, 0, 0, 0)`)
  )
  const checked = execFileSync('sha256sum', ['--strict', '-c', 'SHA256SUMS'], { cwd: `${dir}/out` })
  t.equal(checked.toString().match(/: OK$/gm)?.length, expected.length - 1)
  for (const { name, bytes } of content.files) {
    t.same(readFileSync(`${dir}/out/${name}`), Buffer.from(bytes), name)
  }
  t.same(readFileSync(`${dir}/out/tuf/1.root.json`), ROOT)

  const readme = readFileSync(`${dir}/out/README.txt`, 'utf8')
  t.ok(readme.includes(sha256(ROOT)))
  for (const { id, title, lines } of content.clients) {
    t.equal(readme.includes(`\n${title}\n`), id !== 'files', id)
    t.equal(readme.includes(lines), id !== 'files', id)
  }
  for (const name of expected.slice(1)) {
    if (!name.includes('/') && name !== 'README.txt') t.ok(readme.includes(`  ${name} `), name)
  }
})

t.test('the archive is the same in every time zone', async (t) => {
  // The zone is read once per process, so each has its own.
  const script = `
    import { zipBootstrap } from './src/trust/bootstrap-archive.ts'
    import { stubContent } from './test/helpers/trust-app.ts'
    import { createHash } from 'node:crypto'
    console.log(createHash('sha256').update(zipBootstrap(stubContent())).digest('hex'))`
  const hashes = ['UTC', 'America/Los_Angeles', 'Pacific/Auckland'].map((TZ) => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...process.execArgv, '--input-type=module', '-e', script],
      { env: { ...process.env, TZ } }
    )
    t.match(stdout.toString(), /^[0-9a-f]{64}\n$/, stderr.toString())
    return stdout.toString()
  })
  t.equal(new Set(hashes).size, 1)
})

t.test('addresses: those in use, and of the log that of version 1', async (t) => {
  const was = (url: string) => ({
    url,
    majorApiVersion: 1,
    validity: { startSeconds: 1, endSeconds: 2 }
  })
  const is = (url: string, majorApiVersion = 1) => ({
    url,
    majorApiVersion,
    validity: { startSeconds: 1 + majorApiVersion }
  })
  const services = {
    rekor: [was('https://r0'), is('https://r1'), is('https://r2', 2)],
    fulcio: [was('https://f0'), is('https://f1')],
    tsa: [was('https://t0/x'), is('https://t1/x')],
    oidc: [was('https://o0'), is('https://o1')]
  }
  const content = build({ ...FULL, services })
  const { lines } = guideOf(content, 'cosign-2')
  for (const url of ['https://r1', 'https://f1', 'https://t1/x', 'https://o1']) {
    t.ok(lines.includes(` ${url} `), url)
  }
  t.notMatch(lines, /https:\/\/(r0|r2|f0|t0|o0)/)
  t.same(content.issuers, ['https://o1', ISSUER])
})
