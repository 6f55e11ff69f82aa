import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCommand, startTestServer, tempFolder, testConfig } from '../helpers/cli.js'

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** SubjectPublicKeyInfo of a private key, as openssl has it. */
function publicKey(file: string): Buffer {
  return execFileSync('openssl', ['pkey', '-in', file, '-pubout', '-outform', 'DER'])
}

function openssl(der: Uint8Array, ...argv: string[]): string {
  return execFileSync('openssl', ['x509', '-inform', 'DER', '-noout', ...argv], { input: der })
    .toString()
    .trim()
}

function files(folder: string): readonly string[] {
  return readdirSync(folder).map((name) => join(folder, name))
}

interface Documents {
  readonly certificateAuthorities: readonly Chain[]
  readonly timestampAuthorities: readonly Chain[]
}

interface Chain {
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] }
}

t.test('every fingerprint, and nothing else that looks like one', async (t) => {
  const folder = tempFolder(t)
  const dataDir = join(folder, 'data')
  const sticks = join(folder, 'sticks')
  const now = Date.parse('2026-05-04T03:02:01.234Z')
  const { stdout } = await runCommand(
    [
      ...['init', '--data-dir', dataDir, '--json', '--public-url', 'https://log.example.com'],
      ...['--ceremony', sticks, '--root-keys', '2', '--offline-targets']
    ],
    { now: () => now }
  )
  const { transcriptFile } = JSON.parse(stdout) as { transcriptFile: string }
  t.equal(transcriptFile, join(dataDir, 'transcripts', 'init-2026-05-04T03-02-01-234Z.txt'))
  t.equal(statSync(transcriptFile).mode & 0o777, 0o600)
  t.equal(statSync(join(dataDir, 'transcripts')).mode & 0o777, 0o700)
  const text = readFileSync(transcriptFile, 'utf8')
  t.notMatch(text, /PRIVATE|BEGIN/)
  t.match(text, /^Time {12}2026-05-04T03:02:01Z$/m)
  t.match(text, /^Public URL {6}https:\/\/log\.example\.com$/m)
  t.ok(text.includes(`Data directory  ${dataDir}\n`))

  const server = await startTestServer(
    t,
    testConfig(dataDir, { 'public-url': 'https://log.example.com' }),
    { now: () => now }
  )
  const get = async (path: string): Promise<Buffer> =>
    Buffer.from(await (await fetch(`${server.listenUrl}${path}`)).arrayBuffer())

  const expected = new Set<string>()
  // Keys: fingerprint and place.
  const keyFiles = [...files(join(dataDir, 'keys')), ...files(sticks)].filter((name) =>
    name.endsWith('.pem')
  )
  t.equal(keyFiles.length, 5 + 2 + 4)
  for (const file of keyFiles) {
    expected.add(sha256(publicKey(file)))
    t.ok(text.includes(` ${file}\n`), file)
  }
  // Certificates, as clients get them.
  const documents = JSON.parse((await get('/bootstrap/trusted_root.json')).toString()) as Documents
  const chains = [...documents.certificateAuthorities, ...documents.timestampAuthorities]
  const certificates = chains
    .flatMap(({ certChain }) => certChain.certificates)
    .map(({ rawBytes }) => Buffer.from(rawBytes, 'base64'))
  t.equal(certificates.length, 3)
  for (const der of certificates) {
    const fingerprint = openssl(der, '-fingerprint', '-sha256').replace(/^.*=/, '')
    expected.add(fingerprint.replaceAll(':', '').toLowerCase())
    const { publicKey: key } = new X509Certificate(der)
    expected.add(sha256(key.export({ type: 'spki', format: 'der' })))
    const subject = openssl(der, '-subject', '-nameopt', 'compat,sep_comma_plus_space,utf8')
    t.ok(text.includes(`  certificate  ${subject.replace(/^subject=\s*/, '')}\n`), subject)
    const [from, to] = openssl(der, '-startdate', '-enddate')
      .split('\n')
      .map((line) => new Date(line.replace(/^.*=/, '')).toISOString().replace('.000Z', 'Z'))
    t.ok(text.includes(`    valid      ${from} to ${to}\n`), `${from} to ${to}`)
  }
  // The root, and what it calls its keys.
  const root = await get('/tuf/1.root.json')
  expected.add(sha256(root))
  t.ok(text.includes(`  SHA-256 of root.json  ${sha256(root)}\n`))
  const { signed } = JSON.parse(root.toString()) as {
    signed: {
      keys: Record<string, { keyval: { public: string } }>
      roles: Record<string, { keyids: readonly string[]; threshold: number }>
    }
  }
  for (const [role, { keyids, threshold }] of Object.entries(signed.roles)) {
    t.ok(text.includes(`  role ${role}: ${threshold} of ${keyids.length} must sign\n`))
    for (const keyId of keyids) {
      expected.add(keyId)
      const pem = signed.keys[keyId]?.keyval.public ?? ''
      const spki = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'DER'], { input: pem })
      t.match(text, `    key        ${sha256(spki)}\n      key id   ${keyId}\n`)
    }
  }
  t.strictSame(new Set(text.match(/\b[0-9a-f]{64}\b/g)), expected)
})

t.test('a later one: what was carried away is not said to be here', async (t) => {
  const folder = tempFolder(t)
  const dataDir = join(folder, 'data')
  const sticks = join(folder, 'sticks')
  const init = ['init', '--data-dir', dataDir]
  const first = await runCommand([
    ...init,
    ...['--tsa-enabled', 'false', '--ceremony', sticks, '--root-keys', '1']
  ])
  t.equal(first.code, 0, first.stderr)
  t.notMatch(readFileSync(files(join(dataDir, 'transcripts'))[0] ?? '', 'utf8'), /Timestamp/)
  mkdirSync(join(folder, 'safe'))
  renameSync(sticks, join(folder, 'safe', 'sticks'))
  t.equal((await runCommand(['rotate', 'log', '--tsa-enabled', 'false', ...init.slice(1)])).code, 0)
  const second = await runCommand([...init, '--json'])
  t.equal(second.code, 0, second.stderr)
  const { transcriptFile } = JSON.parse(second.stdout) as { transcriptFile: string }
  t.equal(files(join(dataDir, 'transcripts')).length, 2)
  const text = readFileSync(transcriptFile, 'utf8')
  t.match(text, /^ {6}file {5}tuf-root-[0-9a-f]{16}\.pem, not here$/m)
  t.equal(text.match(/not here/g)?.length, 1)
  t.match(text, /^Timestamp authority$/m)
  t.match(text, /^Transparency log, tree \d+ \(closed\)$/m)
  t.equal(text.match(/^Transparency log, /gm)?.length, 2, 'old keys as well')
})

t.test('nothing was made, nothing is written', async (t) => {
  const dataDir = join(tempFolder(t), 'data')
  await runCommand(['init', '--data-dir', dataDir])
  t.equal((await runCommand(['init', '--data-dir', dataDir])).code, 1)
  t.equal(files(join(dataDir, 'transcripts')).length, 1)
})

t.test('paths in it are whole, whatever the data directory was called', async (t) => {
  const folder = tempFolder(t)
  const dataDir = join(folder, 'x', '..', 'data')
  const relative = `./${dataDir.slice(1).replace(/^/, '../'.repeat(process.cwd().split('/').length - 1))}`
  const { code, stderr } = await runCommand(['init', '--data-dir', relative])
  t.equal(code, 0, stderr)
  const text = readFileSync(files(join(folder, 'data', 'transcripts'))[0] ?? '', 'utf8')
  t.ok(text.includes(`Data directory  ${join(folder, 'data')}\n`))
  for (const file of files(join(folder, 'data', 'keys'))) t.ok(text.includes(` ${file}\n`), file)
})
