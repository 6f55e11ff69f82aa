import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config/load.js'
import { encodePem } from '../../src/encoding/pem.js'
import { createLocalSigner } from '../../src/keys/local-signer.js'
import {
  buildIntermediateCertificate,
  buildRootCertificate
} from '../../src/x509/ca-certificate.js'
import { parseCertificateRequest } from '../../src/x509/csr.js'
import { initLog, runCommand, startTestServer as serveConfig } from '../helpers/cli.js'
import { pemBytes } from '../helpers/ct-vectors.js'

interface ListedAuthority {
  readonly fingerprint: string
  readonly keyName: string
  readonly chain: string[]
  readonly activeUntil?: string
}

async function list(dataDir: string): Promise<readonly ListedAuthority[]> {
  const { stdout } = await runCommand(['ca', 'list', '--json', '--data-dir', dataDir])
  return (JSON.parse(stdout) as { authorities: ListedAuthority[] }).authorities
}

/** A root that is kept elsewhere. */
async function offlineRoot() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = createLocalSigner(privateKey)
  const notBeforeSeconds = Math.floor(Date.now() / 1000) - 60
  const times = { notBeforeSeconds, notAfterSeconds: notBeforeSeconds + 86_400 }
  const subject = { organization: 'offline', commonName: 'root' }
  const root = await buildRootCertificate({ ...times, subject, signer, serialNumber: 1n })
  return {
    rootPem: encodePem('CERTIFICATE', root.der),
    rootKeyPem: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    async sign(requestPem: string): Promise<string> {
      const { subjectPublicKeyInfo } = parseCertificateRequest(pemBytes(requestPem))
      const intermediate = await buildIntermediateCertificate({
        ...times,
        subject: { ...subject, commonName: 'issuing' },
        publicKey: subjectPublicKeyInfo,
        issuer: root,
        issuerSigner: signer,
        serialNumber: 2n
      })
      return encodePem('CERTIFICATE', intermediate.der)
    }
  }
}

t.test('init makes a root that is listed', async (t) => {
  const dataDir = await initLog(t, [
    '--ca-organization',
    'Example',
    '--ca-common-name',
    'Example CA'
  ])
  const [authority, ...others] = await list(dataDir)
  t.equal(others.length, 0)
  const text = execFileSync('openssl', ['x509', '-noout', '-subject', '-fingerprint', '-sha256'], {
    input: authority?.chain[0] ?? ''
  }).toString()
  t.match(text, /O = Example, CN = Example CA/)
  t.match(text.toLowerCase().replaceAll(':', ''), authority?.fingerprint)
  t.equal(statSync(join(dataDir, 'keys', authority?.keyName ?? '')).mode & 0o777, 0o600)
  const { stdout } = await runCommand(['ca', 'list', '--data-dir', dataDir])
  t.match(stdout, /^authority +[0-9a-f]{64} \(issues\)\n/)
})

t.test('a request, signed elsewhere, and its chain', async (t) => {
  const dataDir = await initLog(t)
  const dir = t.testdir({})
  const offline = await offlineRoot()
  const out = join(dir, 'request.pem')
  const args = ['--data-dir', dataDir, '--ca-key-algorithm', 'ecdsa-sha2-384-nistp384']
  const requested = await runCommand(['ca', 'csr', '--out', out, ...args])
  t.equal(requested.code, 0, requested.stderr)
  const request = readFileSync(out, 'utf8')
  t.match(
    execFileSync('openssl', ['req', '-verify', '-noout', '-text', '-in', out], {
      stdio: ['ignore', 'pipe', 'ignore']
    }).toString(),
    /ASN1 OID: secp384r1/
  )
  t.equal((await list(dataDir)).length, 1, 'nothing changed')

  const chainFile = join(dir, 'chain.pem')
  writeFileSync(chainFile, (await offline.sign(request)) + offline.rootPem)
  const imported = await runCommand(['ca', 'import-chain', chainFile, '--data-dir', dataDir])
  t.equal(imported.code, 0, imported.stderr)
  t.match(imported.stdout, /^issues from the next start on: [0-9a-f]{64}\nchain of 2, valid until /)
  const [before, now] = await list(dataDir)
  t.type(before?.activeUntil, 'string')
  t.equal(now?.activeUntil, undefined)
  t.equal(now?.chain.length, 2)
  t.match(await runCommand(['ca', 'import-chain', chainFile, '--data-dir', dataDir]), {
    code: 1,
    stderr: /this chain issues already/
  })

  const flags = { 'data-dir': dataDir, listen: '127.0.0.1:0', 'metrics-listen': 'off' }
  const server = await serveConfig(t, loadConfig(flags, {}))
  const root = await (await fetch(`${server.listenUrl}/api/v1/rootCert`)).text()
  t.equal(root, now?.chain.join('\n').trim())
  const roots = (await (await fetch(`${server.listenUrl}/ct/v1/get-roots`)).json()) as {
    certificates: string[]
  }
  t.strictSame(
    roots.certificates,
    [before?.chain[0] ?? '', offline.rootPem].map((pem) =>
      Buffer.from(pemBytes(pem)).toString('base64')
    ),
    'the log accepts both roots'
  )
})

t.test('to standard output, and to a file that is there', async (t) => {
  const dataDir = await initLog(t)
  const { stdout, stderr } = await runCommand(['ca', 'csr', '--data-dir', dataDir])
  t.match(stdout, /^-----BEGIN CERTIFICATE REQUEST-----\n[^-]+-----END CERTIFICATE REQUEST-----\n$/)
  t.match(stderr, /^made key .*\/keys\/ca-[0-9a-f]{16}\.pem\n$/)
  const there = join(t.testdir({ there: 'x' }), 'there')
  t.match(await runCommand(['ca', 'csr', '--out', there, '--data-dir', dataDir]), {
    code: 1,
    stderr: /cannot be written: EEXIST/
  })
})

t.test('an authority that moves here with its key', async (t) => {
  const offline = await offlineRoot()
  const dir = t.testdir({
    'root.pem': offline.rootPem,
    'root.key': offline.rootKeyPem,
    secret: 'correct horse\n'
  })
  const dataDir = await initLog(t)
  const chain = join(dir, 'root.pem')
  const without = await runCommand(['ca', 'import-chain', chain, '--data-dir', dataDir])
  t.match(without, {
    code: 1,
    stderr: /there is no key for the first certificate: .*Give --key FILE/
  })
  const encrypted = join(dir, 'encrypted.key')
  execFileSync('openssl', [
    'pkcs8',
    '-topk8',
    '-in',
    join(dir, 'root.key'),
    '-out',
    encrypted,
    '-passout',
    'pass:correct horse'
  ])
  const noPassphrase = await runCommand([
    'ca',
    'import-chain',
    chain,
    '--key',
    encrypted,
    '--data-dir',
    dataDir
  ])
  t.match(noPassphrase, { code: 1, stderr: /encrypted and no passphrase is given/ })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const strange = join(dir, 'strange.key')
  writeFileSync(strange, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  const wrong = await runCommand([
    'ca',
    'import-chain',
    chain,
    '--key',
    strange,
    '--data-dir',
    dataDir
  ])
  t.match(wrong, { code: 1, stderr: /public keys are not equal/ })
  t.equal((await list(dataDir)).length, 1)

  const args = ['--key', encrypted, '--key-passphrase', join(dir, 'secret'), '--data-dir', dataDir]
  const moved = await runCommand(['ca', 'import-chain', chain, ...args], {
    environment: { SIGSTEAD_CA_KEY_PASSPHRASE: 'ours' }
  })
  t.equal(moved.code, 0, moved.stderr)
  const [, now] = await list(dataDir)
  const keyFile = join(dataDir, 'keys', now?.keyName ?? '')
  t.match(
    readFileSync(keyFile, 'utf8'),
    /^-----BEGIN ENCRYPTED PRIVATE KEY-----/,
    'encrypted as ours are'
  )
  const flags = { 'data-dir': dataDir, listen: '127.0.0.1:0', 'metrics-listen': 'off' }
  await t.rejects(serveConfig(t, loadConfig(flags, {})), {
    message:
      /^issuing key .*encrypted and no passphrase is given; set SIGSTEAD_CA_KEY_PASSPHRASE_FILE$/
  })
  const server = await serveConfig(t, loadConfig(flags, { SIGSTEAD_CA_KEY_PASSPHRASE: 'ours' }))
  t.equal(await (await fetch(`${server.listenUrl}/api/v1/rootCert`)).text(), offline.rootPem.trim())
})

t.test('files that are no chain', async (t) => {
  const dataDir = await initLog(t)
  const dir = t.testdir({ text: 'no PEM', ed25519: '' })
  const ed25519 = join(dir, 'ed25519')
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ed25519',
      '-nodes',
      '-keyout',
      join(dir, 'key'),
      '-subj',
      '/CN=x',
      '-out',
      ed25519
    ],
    { stdio: 'ignore' }
  )
  const cases: [file: string, message: RegExp][] = [
    [join(dir, 'none'), /cannot be read: ENOENT/],
    [join(dir, 'text'), /must contain at least one certificate/],
    [ed25519, /an Ed25519 key cannot issue/]
  ]
  for (const [file, message] of cases) {
    t.match(await runCommand(['ca', 'import-chain', file, '--data-dir', dataDir]), {
      code: 1,
      stderr: message
    })
  }
})

t.test('the certificate log and its key', async (t) => {
  const dataDir = await initLog(t)
  const { stdout } = await runCommand(['ct', 'info', '--data-dir', dataDir])
  t.match(stdout, /^log +[0-9a-f]{16} \(active\)\n +log ID +[0-9a-f]{64}\n/)
  t.match(stdout, /-----END PUBLIC KEY-----\n$/)
  const json = await runCommand(['ct', 'info', '--json', '--data-dir', dataDir])
  t.match(JSON.parse(json.stdout), {
    logs: [{ state: 'active', treeSize: 0, publicKey: /BEGIN PUBLIC KEY/ }]
  })
})

t.test('parts that are missing', async (t) => {
  const dataDir = await initLog(t, [
    '--ca-enabled',
    'false',
    '--ct-enabled',
    'false',
    '--tsa-enabled',
    'false'
  ])
  t.match(
    (await runCommand(['ca', 'list', '--data-dir', dataDir])).stdout,
    'no certificate authority\n'
  )
  t.match((await runCommand(['ct', 'info', '--data-dir', dataDir])).stdout, 'no certificate log\n')
  const flags = { 'data-dir': dataDir, listen: '127.0.0.1:0', 'metrics-listen': 'off' }
  const off = await serveConfig(
    t,
    loadConfig(
      { ...flags, 'ca-enabled': 'false', 'ct-enabled': 'false', 'tsa-enabled': 'false' },
      {}
    )
  )
  t.equal((await fetch(`${off.listenUrl}/api/v1/rootCert`)).status, 404)
  t.equal((await fetch(`${off.listenUrl}/ct/v1/get-sth`)).status, 404)
  t.equal((await fetch(`${off.listenUrl}/api/v1/timestamp/certchain`)).status, 404)
  await off.close()
  await t.rejects(serveConfig(t, loadConfig(flags, {})), {
    code: 'conflict',
    message: /has no certificate log yet: run sigstead init, which adds what is missing/
  })
  const added = await runCommand(['init', '--data-dir', dataDir])
  t.equal(added.code, 0, added.stderr)
  t.match(
    added.stdout,
    /^in .* were made:\ncertificate log +log ID [0-9a-f]{64}\n[^]*authority +root O=sigstead, CN=sigstead-ca/
  )
  t.notMatch(added.stdout, /origin/, 'the log was there')
  const on = await serveConfig(t, loadConfig(flags, {}))
  t.equal((await fetch(`${on.listenUrl}/api/v1/rootCert`)).status, 200)
  t.equal((await fetch(`${on.listenUrl}/api/v1/timestamp/certchain`)).status, 200)
  t.match(await runCommand(['init', '--data-dir', dataDir]), { code: 1 })
  await on.close()
  t.match(await runCommand(['init', '--data-dir', dataDir]), {
    code: 1,
    stderr: /holds a log already, and nothing is missing/
  })
  t.ok(existsSync(join(dataDir, 'keys')))
})
