import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  assertDraftPlace,
  readDraft,
  replaceDraft,
  writeNewDraft
} from '../../src/cli/draft-files.js'
import {
  buildCommand,
  initLog,
  runCommand,
  spawnCli,
  startTestServer,
  type Teardown,
  tempFolder,
  testConfig
} from '../helpers/cli.js'

const ROLES = ['root', 'targets'] as const
type Role = (typeof ROLES)[number]

interface Drafted {
  readonly draftFile: string
  readonly sha256: string
  readonly version: number
  readonly keys: readonly { keyId: string; hasSigned: boolean }[]
}

interface Key {
  readonly keyFile: string
  readonly publicKeyFile: string
}

async function json<T>(argv: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runCommand([...argv, '--json'])
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as T
}

function newKey(folder: string, ...flags: string[]): Promise<Key> {
  return json<Key>(['tuf', 'key', 'new', folder, ...flags])
}

/** A data directory whose keys of root and targets lie in another folder, one each, and a draft of each role. */
async function drafts(t: Teardown) {
  const folder = tempFolder(t)
  const dataDir = join(folder, 'data')
  const sticks = join(folder, 'sticks')
  const ceremony = ['--ceremony', sticks, '--root-keys', '1', '--offline-targets']
  await json(['init', '--data-dir', dataDir, ...ceremony])
  const keyOf = (role: Role) => {
    const name = readdirSync(sticks).find((each) => new RegExp(`^tuf-${role}-.*pem$`).test(each))
    return join(sticks, name ?? '')
  }
  const draft = async (role: Role, name = `${role}.json`) =>
    json<Drafted>([...['tuf', role, 'draft', '--data-dir', dataDir, '--out', join(folder, name)]])
  return { folder, dataDir, keyOf, draft }
}

/** Changes a draft as somebody might while it is carried. */
function tamper(file: string, change: (draft: Draft) => void): void {
  const value = JSON.parse(readFileSync(file, 'utf8')) as Draft
  change(value)
  writeFileSync(file, JSON.stringify(value))
}

interface Metadata {
  signed: { version: number; expires: string; roles?: Record<string, { threshold: number }> }
  signatures: { keyid: string; sig: string }[]
}

interface Draft {
  kind: string
  format: number
  metadata: Metadata
  trustedRoot?: Metadata
}

t.test('drafted, looked at, signed, published', async (t) => {
  const { dataDir, keyOf, draft } = await drafts(t)
  for (const role of ROLES) {
    const made = await draft(role)
    t.equal(made.version, 2)
    t.strictSame(
      made.keys.map(({ hasSigned }) => hasSigned),
      [false]
    )
    const show = ['tuf', role, 'show', made.draftFile]
    const shown = await runCommand(show)
    t.match(shown.stdout, new RegExp(`^${role} version 2, good until 20\\S+Z$`, 'm'))
    t.match(shown.stdout, /^not by {4}[0-9a-f]{64}$/m)
    // By then the new root is published.
    const rootVersion = role === 'root' ? 1 : 2
    t.match(shown.stdout, `missing   1 more by keys that root version ${rootVersion} names\n`)
    t.match(
      shown.stdout,
      role === 'root'
        ? /^role {6}root: as before \(1 keys/m
        : /^file {6}trusted_root\.json [0-9a-f]{64}$/m
    )
    t.equal(JSON.parse((await runCommand([...show, '--json'])).stdout).sha256, made.sha256)

    const before = statSync(made.draftFile).ino
    const signed = await runCommand(['tuf', role, 'sign', made.draftFile, '--key', keyOf(role)])
    t.match(signed, { code: 0, stdout: /^signed by [0-9a-f]{64}$/m })
    t.notMatch(signed.stdout, /^missing/m)
    t.not(statSync(made.draftFile).ino, before, 'written beside, then moved into its place')
    t.equal(statSync(made.draftFile).mode & 0o777, 0o644)
    t.notOk(existsSync(`${made.draftFile}.part`))
    const { sha256 } = await json<Drafted>(show)
    t.not(sha256, made.sha256)
    // It is the hash of what will be published, whose text is in the draft.
    const { metadata } = JSON.parse(readFileSync(made.draftFile, 'utf8')) as Draft
    t.equal(metadata.signatures.length, 1)

    const confirm = role === 'root' ? ['--confirm', sha256] : []
    const publish = ['tuf', role, 'publish', made.draftFile, '--data-dir', dataDir, ...confirm]
    t.match(await json(publish), { role, version: 2, published: true })
    const server = await startTestServer(t, testConfig(dataDir))
    const published = await (await fetch(`${server.publicUrl}/tuf/2.${role}.json`)).text()
    t.equal(createHash('sha256').update(published).digest('hex'), sha256)
    await server.close()
  }
})

t.test('what was changed on the way is refused, by everybody', async (t) => {
  const { folder, dataDir, keyOf, draft } = await drafts(t)
  const changes: [name: string, change: (draft: Draft) => void, stderr: RegExp][] = [
    ['expires', ({ metadata }) => (metadata.signed.expires = '2099-01-01T00:00:00Z'), /signature/],
    ['version', ({ metadata }) => (metadata.signed.version = 7), /version|signature/],
    [
      'a signature',
      ({ metadata: { signatures } }) => {
        const [first] = signatures
        if (first !== undefined) first.sig = first.sig.replace(/..$/, 'ff')
      },
      /signature/
    ],
    ['twice', ({ metadata: { signatures } }) => signatures.push(...signatures), /twice|signature/],
    [
      'a signature of nobody',
      ({ metadata: { signatures } }) => signatures.push({ keyid: 'ab'.repeat(32), sig: '3000' }),
      /signature|key/
    ],
    ['another format', (value) => (value.format = 2), /not a draft of TUF metadata/],
    ['another kind', (value) => (value.kind = 'x'), /not a draft of TUF metadata/],
    ['a member', (value) => Object.assign(value, { extra: 1 }), /unknown member "extra"/],
    [
      'the root it follows',
      ({ trustedRoot }) => {
        if (trustedRoot?.signed.roles?.root) trustedRoot.signed.roles.root.threshold = 0
      },
      /threshold|signature/
    ]
  ]
  for (const role of ROLES) {
    const { draftFile } = await draft(role)
    const sign = ['tuf', role, 'sign', draftFile, '--key', keyOf(role)]
    t.equal((await runCommand(sign)).code, 0)
    for (const [name, change, stderr] of changes) {
      const file = join(folder, `${role}-${name}.json`)
      copyFileSync(draftFile, file)
      tamper(file, change)
      const before = readFileSync(file, 'utf8')
      for (const argv of [
        ['show', file],
        ['sign', file, '--key', keyOf(role)],
        ['publish', file, '--data-dir', dataDir, ...(role === 'root' ? ['--confirm', 'a'] : [])]
      ]) {
        const result = await runCommand(['tuf', role, ...argv])
        t.match(result, { code: 1, stdout: '', stderr }, `${role}, ${name}: ${argv[0]}`)
        t.notMatch(result.stderr, /this is a bug/)
      }
      t.equal(readFileSync(file, 'utf8'), before)
    }
  }
})

t.test('by its author, it is refused by the server', async (t) => {
  // All signatures good, by a root that nobody knows but whoever wrote the draft.
  const mine = await drafts(t)
  const theirs = await drafts(t)
  for (const role of ROLES) {
    const { draftFile } = await theirs.draft(role)
    const sign = ['tuf', role, 'sign', draftFile, '--key', theirs.keyOf(role)]
    const { sha256 } = await json<Drafted>(sign)
    const confirm = role === 'root' ? ['--confirm', sha256] : []
    const result = await runCommand([
      ...['tuf', role, 'publish', draftFile, '--data-dir', mine.dataDir, ...confirm]
    ])
    t.match(result, { code: 1, stdout: '' }, role)
    t.match(
      result.stderr,
      role === 'root' ? /made for another root than the newest one/ : /signature|key/
    )
  }
})

t.test('keys that may not sign', async (t) => {
  const { folder, keyOf, draft } = await drafts(t)
  const stranger = await newKey(join(folder, 'stranger'))
  const openKey = join(folder, 'open.pem')
  copyFileSync(stranger.keyFile, openKey)
  chmodSync(openKey, 0o644)
  const ed25519 = join(folder, 'ed25519.pem')
  execFileSync('openssl', ['genpkey', '-algorithm', 'ED25519', '-out', ed25519])
  chmodSync(ed25519, 0o600)
  const noise = join(folder, 'noise.pem')
  writeFileSync(noise, 'noise', { mode: 0o600 })
  for (const role of ROLES) {
    const { draftFile } = await draft(role)
    const before = readFileSync(draftFile, 'utf8')
    const other = role === 'root' ? 'targets' : 'root'
    const cases: [code: number, flags: string[], stderr: RegExp][] = [
      [2, [], /--key FILE is missing$/m],
      [1, ['--key', stranger.keyFile], new RegExp(`is not one of role ${role} in root version 1`)],
      [1, ['--key', keyOf(other)], new RegExp(`is not one of role ${role} in root version 1`)],
      [1, ['--key', stranger.publicKeyFile], /open to other users|PRIVATE KEY/],
      [1, ['--key', openKey], /^sigstead: key .*open\.pem is open to other users \(mode 0644\)/],
      [1, ['--key', ed25519], /ed25519\.pem: Ed25519 keys do not sign here/],
      [1, ['--key', noise], /^sigstead: key .*noise\.pem: /],
      [1, ['--key', join(folder, 'absent')], /absent does not exist/],
      [1, ['--key', folder], /is open to other users|cannot be read|EISDIR/],
      [1, ['--key', keyOf(role), '--key-passphrase', join(folder, 'absent')], /passphrase file/]
    ]
    for (const [code, flags, stderr] of cases) {
      const result = await runCommand(['tuf', role, 'sign', draftFile, ...flags])
      t.match(result, { code, stdout: '', stderr }, `${role}: ${flags.join(' ')}`)
      t.notMatch(result.stderr, /this is a bug/)
    }
    t.equal(readFileSync(draftFile, 'utf8'), before)
    // And one that may, once.
    const sign = ['tuf', role, 'sign', draftFile, '--key', keyOf(role)]
    t.equal((await runCommand(sign)).code, 0)
    t.match(await runCommand(sign), { code: 1, stderr: /has signed this draft already$/m })
  }
})

t.test('files that are no such draft', async (t) => {
  const { folder, dataDir, keyOf, draft } = await drafts(t)
  const big = join(folder, 'big.json')
  writeFileSync(big, '')
  truncateSync(big, 16 * 1024 * 1024 + 1)
  const latin = join(folder, 'latin.json')
  writeFileSync(latin, Buffer.from([0x7b, 0xe4, 0x7d]))
  const empty = join(folder, 'empty.json')
  writeFileSync(empty, '')
  const cases: [file: string, stderr: RegExp][] = [
    [join(folder, 'absent.json'), /absent\.json does not exist$/m],
    [folder, /cannot be read: EISDIR$/m],
    [big, /big\.json is larger than 16777216 bytes$/m],
    [latin, /latin\.json is no draft: not valid UTF-8$/m],
    [empty, /JSON/],
    [keyOf('root'), /JSON/]
  ]
  for (const role of ROLES) {
    const other = role === 'root' ? 'targets' : 'root'
    const { draftFile } = await draft(other)
    const commands = (file: string) => [
      ['tuf', role, 'show', file],
      ['tuf', role, 'sign', file, '--key', keyOf(role)],
      ['tuf', role, 'publish', file, '--data-dir', dataDir]
    ]
    for (const [file, stderr] of cases) {
      for (const argv of commands(file)) {
        const result = await runCommand(argv)
        t.match(result, { code: 1, stdout: '', stderr }, argv.slice(0, 4).join(' '))
        t.notMatch(result.stderr, /this is a bug/)
      }
    }
    for (const argv of commands(draftFile)) {
      t.match(await runCommand(argv), {
        code: 2,
        stdout: '',
        stderr: new RegExp(`is a draft of ${other}, not of ${role}$`, 'm')
      })
    }
  }
})

t.test('signed too early, or published too late', async (t) => {
  const { dataDir, keyOf, draft, folder } = await drafts(t)
  for (const role of ROLES) {
    const { draftFile, sha256 } = await draft(role)
    const publish = (file: string, sha: string, now = Date.now) =>
      runCommand(
        [
          ...['tuf', role, 'publish', file, '--data-dir', dataDir],
          ...(role === 'root' ? ['--confirm', sha] : [])
        ],
        { now }
      )
    t.match(await publish(draftFile, sha256), { code: 1, stderr: /signature/ }, 'unsigned')
    const signed = await json<Drafted>(['tuf', role, 'sign', draftFile, '--key', keyOf(role)])
    const later = () => Date.now() + 800 * 86_400_000
    t.match(await publish(draftFile, signed.sha256, later), { code: 1, stderr: /expired/ })
    // Two drafts of one version: what is published first is it.
    const second = await draft(role, `${role}-second.json`)
    const other = await json<Drafted>([
      ...['tuf', role, 'sign', second.draftFile, '--key', keyOf(role)]
    ])
    t.equal((await publish(second.draftFile, other.sha256)).code, 0)
    t.match(await publish(draftFile, signed.sha256), {
      code: 1,
      stderr: new RegExp(`the draft is of ${role} version 2, and 3 is next`)
    })
  }
  t.ok(existsSync(join(folder, 'root.json')), 'published drafts stay where they are')
})

t.test('where keys are here, a renewal needs no more', async (t) => {
  const dataDir = await initLog(t)
  const out = join(tempFolder(t), 'root.json')
  const made = await json<Drafted>(['tuf', 'root', 'draft', '--data-dir', dataDir, '--out', out])
  t.strictSame(
    made.keys.map(({ hasSigned }) => hasSigned),
    [true]
  )
  const publish = ['tuf', 'root', 'publish', out, '--data-dir', dataDir]
  const asked = await runCommand([...publish, '--json'])
  t.match(asked, { code: 1, stderr: '' })
  t.match(JSON.parse(asked.stdout), { published: false, sha256: made.sha256 })
  t.equal((await runCommand([...publish, '--confirm', made.sha256])).code, 0)
})

t.test('tuf key new', async (t) => {
  const folder = tempFolder(t)
  const passphraseFile = join(folder, 'passphrase')
  writeFileSync(passphraseFile, 'secret words\n')
  for (const [flags, role, isEncrypted] of [
    [[], 'root', false],
    [['--role', 'targets'], 'targets', false],
    [['--key-passphrase', passphraseFile], 'root', true]
  ] as const) {
    const stick = join(folder, 'deep', 'stick')
    const { keyFile, publicKeyFile, ...more } = await newKey(stick, ...flags)
    t.strictSame(more, { encrypted: isEncrypted })
    t.equal(statSync(stick).mode & 0o777, 0o700)
    t.equal(statSync(keyFile).mode & 0o777, 0o600)
    t.equal(statSync(publicKeyFile).mode & 0o777, 0o644)
    const passin = isEncrypted ? ['-passin', 'pass:secret words'] : []
    const der = execFileSync('openssl', [
      ...['pkey', '-in', keyFile, '-pubout', '-outform', 'DER', ...passin]
    ])
    const name = `tuf-${role}-${createHash('sha256').update(der).digest('hex').slice(0, 16)}`
    t.equal(keyFile, join(stick, `${name}.pem`))
    t.equal(publicKeyFile, join(stick, `${name}.pub`))
    t.strictSame(
      execFileSync('openssl', ['pkey', '-pubin', '-in', publicKeyFile, '-outform', 'DER']),
      der
    )
    t.match(readFileSync(keyFile, 'utf8'), isEncrypted ? /BEGIN ENCRYPTED/ : /BEGIN PRIVATE/)
  }
  t.equal(readdirSync(join(folder, 'deep', 'stick')).length, 6, 'beside each other')
  const text = await runCommand(['tuf', 'key', 'new', join(folder, 'text')])
  t.match(text.stdout, /^private key {2}\S+\.pem \(not encrypted\)\npublic key {3}\S+\.pub\n$/)

  const empty = join(folder, 'empty')
  writeFileSync(empty, '')
  const cases: [code: number, argv: string[], stderr: RegExp][] = [
    [2, [], /takes FOLDER \(got none\)/],
    [2, [join(folder, 'x'), '--role', 'snapshot'], /--role must be root or targets: snapshot$/m],
    [1, [join(folder, 'x'), '--key-passphrase', empty], /empty is empty$/m],
    [1, [join(folder, 'x'), '--key-passphrase', join(folder, 'no')], /no does not exist/],
    [1, [empty], /empty cannot be a folder for keys: ENOTDIR$/m],
    [1, [join(empty, 'x')], /cannot be a folder for keys: E(NOTDIR|EXIST)$/m],
    [1, ['/proc/stick'], /cannot be a folder for keys: ENOENT$/m]
  ]
  for (const [code, argv, stderr] of cases) {
    const result = await runCommand(['tuf', 'key', 'new', ...argv])
    t.match(result, { code, stdout: '', stderr }, argv.join(' '))
    t.notMatch(result.stderr, /this is a bug/)
  }
  t.notOk(existsSync(join(folder, 'x')))
})

t.test('the files of drafts', async (t) => {
  const folder = tempFolder(t)
  const name = join(folder, 'draft.json')
  t.equal(writeNewDraft(undefined, name, 'one'), name)
  t.equal(writeNewDraft(undefined, name, 'two'), join(folder, 'draft-2.json'))
  t.equal(writeNewDraft(undefined, name, 'three'), join(folder, 'draft-3.json'))
  t.throws(() => writeNewDraft(name, 'x', 'four'), { code: 'conflict' })
  t.equal(readDraft(name), 'one')
  // What a command left that was killed.
  writeFileSync(`${name}.part`, 'half')
  replaceDraft(name, 'five')
  t.equal(readDraft(name), 'five')
  t.strictSame(readdirSync(folder).sort(), ['draft-2.json', 'draft-3.json', 'draft.json'])
  mkdirSync(`${name}.part`)
  t.throws(() => replaceDraft(name, 'six'), {
    code: 'invalid_request',
    message: /cannot be written/
  })
  t.equal(readDraft(name), 'five', 'and what was there stays')
  t.doesNotThrow(() => assertDraftPlace(undefined))
  t.doesNotThrow(() => assertDraftPlace(join(folder, 'new.json')))
  t.throws(() => assertDraftPlace(name), { code: 'conflict' })
  t.throws(() => assertDraftPlace(join(folder, 'no', 'x')), { message: /ENOENT$/ })
})

t.test('as real processes, without a word about where', async (t) => {
  buildCommand()
  const dataDir = await initLog(t)
  const flags = [
    '--listen',
    '127.0.0.1:0',
    '--metrics-listen',
    'off',
    '--rekor-verify-workers',
    '0'
  ]
  const server = spawnCli(t, ['serve', '--data-dir', dataDir, ...flags, '--json'])
  await server.until('"publicUrl"')
  const { rootSha256 } = JSON.parse(server.output().stdout) as { rootSha256: string }
  for (const isRunning of [true, false]) {
    const status = spawnCli(t, ['status', '--data-dir', dataDir, '--json'])
    t.match(await status.ended, { code: 0 })
    t.match(JSON.parse(status.output().stdout), { isRunning, rootSha256 })
    const rotate = spawnCli(t, ['rotate', 'tsa', '--data-dir', dataDir, '--json'])
    t.match(await rotate.ended, { code: 0 })
    t.match(JSON.parse(rotate.output().stdout), { what: 'tsa', outcome: 'done' })
    if (!isRunning) continue
    server.child.kill('SIGTERM')
    t.strictSame(await server.ended, { code: 0, signal: null })
    t.notOk(existsSync(join(dataDir, 'admin.sock')), 'the socket goes with the server')
  }
})
