import { execFileSync } from 'node:child_process'
import { createHash, createPublicKey, verify } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import {
  artifactKey,
  type CliResult,
  initLog,
  runCommand,
  startTestServer,
  type Teardown,
  tempFolder,
  testConfig,
  upload
} from '../helpers/cli.js'

const PASSPHRASE = 'correct horse battery'
const key = artifactKey()

interface Ceremony {
  readonly folder: string
  readonly dataDir: string
  /** Where the keys were made. */
  readonly keys: string
  readonly passphraseFile: string
  readonly made: {
    readonly tufRepository: { readonly rootSha256: string; readonly keyFiles: object }
    readonly ceremony: {
      readonly threshold: number
      readonly keyFiles: { readonly root: readonly string[]; readonly targets?: readonly string[] }
    }
    readonly transcriptFile: string
  }
}

/** A data directory whose root keys, and with the flag also those of targets, lie elsewhere, encrypted. */
async function hold(t: Teardown, ...flags: string[]): Promise<Ceremony> {
  const folder = tempFolder(t)
  const dataDir = join(folder, 'data')
  const keys = join(folder, 'sticks')
  const passphraseFile = join(folder, 'passphrase')
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`)
  const { code, stdout, stderr } = await runCommand([
    ...['init', '--data-dir', dataDir, '--ceremony', keys],
    ...['--ceremony-passphrase', passphraseFile, '--json', ...flags]
  ])
  if (code !== 0) throw new Error(stderr)
  return { folder, dataDir, keys, passphraseFile, made: JSON.parse(stdout) as Ceremony['made'] }
}

/** Signs on another machine, to which only the draft and one key were carried, and carries the draft back. */
async function signElsewhere(
  t: Teardown,
  role: 'root' | 'targets',
  draft: string,
  keyFile: string,
  passphraseFile?: string
): Promise<CliResult> {
  const machine = tempFolder(t)
  const carried = join(machine, basename(draft))
  const stick = join(machine, 'key.pem')
  copyFileSync(draft, carried)
  copyFileSync(keyFile, stick)
  const result = await runCommand([
    ...['tuf', role, 'sign', carried, '--key', stick, '--json'],
    ...(passphraseFile === undefined ? [] : ['--key-passphrase', passphraseFile])
  ])
  copyFileSync(carried, draft)
  return result
}

function value<T>({ code, stdout, stderr }: CliResult): T {
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as T
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function bytesOf(url: string): Promise<Buffer> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

async function latestRoot(url: string): Promise<{ version: number; text: Buffer }> {
  let version = 1
  while ((await fetch(`${url}/tuf/${version + 1}.root.json`)).ok) version++
  return { version, text: await bytesOf(`${url}/tuf/${version}.root.json`) }
}

t.test('what init leaves where', async (t) => {
  const { dataDir, keys, made } = await hold(t, '--offline-targets')
  const inData = readdirSync(join(dataDir, 'keys')).filter((name) => name.startsWith('tuf-'))
  t.match(inData.sort(), [/^tuf-snapshot-/, /^tuf-timestamp-/])
  t.equal(inData.length, 2, 'root and targets keys are not in the data directory')
  t.equal(statSync(keys).mode & 0o777, 0o700)
  const { root, targets = [] } = made.ceremony.keyFiles
  t.equal(made.ceremony.threshold, 2)
  t.equal(root.length, 3)
  t.equal(targets.length, 3)
  const expected = [...root, ...targets].flatMap((file) => [file, file.replace(/pem$/, 'pub')])
  t.strictSame(readdirSync(keys).sort(), expected.map((file) => basename(file)).sort())
  for (const file of [...root, ...targets]) {
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.match(readFileSync(file, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
    // openssl decrypts it, and finds the public key beside it.
    const spki = execFileSync('openssl', [
      ...['pkey', '-in', file, '-passin', `pass:${PASSPHRASE}`, '-pubout']
    ])
    t.equal(readFileSync(file.replace(/pem$/, 'pub'), 'utf8'), spki.toString())
  }
})

t.test('for people it names the files to carry away', async (t) => {
  const folder = tempFolder(t)
  const flags = ['--ceremony', join(folder, 'sticks'), '--root-keys', '2', '--root-threshold', '1']
  const argv = ['init', '--data-dir', join(folder, 'data'), ...flags]
  const { code, stdout } = await runCommand(argv)
  t.equal(code, 0)
  t.match(stdout, /^keys elsewhere {3}of root: 1 of 2 must sign\. Carry them away/m)
  t.equal(stdout.match(/^ {17}\S+\/sticks\/tuf-root-[0-9a-f]{16}\.pem$/gm)?.length, 2)
  t.notMatch(stdout, /key file of (root):/)
  t.match(stdout, /key file of targets:/, 'targets stay here unless asked for')
})

t.test('the whole way: a log key whose news must be signed elsewhere', async (t) => {
  const ceremony = await hold(t, '--offline-targets', '--root-threshold', '2')
  const { folder, dataDir, passphraseFile, made } = ceremony
  const { root: rootKeys, targets: targetsKeys = [] } = made.ceremony.keyFiles
  const [first = '', second = '', third = ''] = targetsKeys
  // It listens where init was told it would: nothing else is to be signed.
  const server = await startTestServer(t, testConfig(dataDir))
  await upload(server.publicUrl, 'before', key)
  t.equal((await latestRoot(server.publicUrl)).version, 1)
  t.equal(sha256((await latestRoot(server.publicUrl)).text), made.tufRepository.rootSha256)

  const draft = join(folder, 'log.json')
  const argv = ['rotate', 'log', '--data-dir', dataDir, '--out', draft]
  const waiting = value<{ outcome: string; draftFile: string }>(
    await runCommand([...argv, '--json'])
  )
  t.match(waiting, { outcome: 'waiting', newKey: true, draftFile: draft })
  t.equal(statSync(draft).mode & 0o777, 0o644)
  const status = await runCommand(['status', '--data-dir', dataDir])
  t.match(status, { code: 0, stdout: /^waiting {3}the rotation of log, until its targets draft/m })
  t.match(await runCommand(['rotate', 'ct', '--data-dir', dataDir]), {
    code: 1,
    stderr: /the rotation of log waits until its targets draft is signed/
  })
  t.equal((await runCommand(['rotate', 'ct', '--dry-run', '--data-dir', dataDir])).code, 0)
  await upload(server.publicUrl, 'meanwhile', key)
  t.equal(
    sha256(await bytesOf(`${server.publicUrl}/api/v1/log/publicKey`)),
    sha256(execFileSync('openssl', ['pkey', '-in', logKey(dataDir, 0), '-pubout'])),
    'the old key signs on'
  )

  // Too few.
  const publish = ['tuf', 'targets', 'publish', draft, '--data-dir', dataDir]
  t.match(await runCommand(publish), { code: 1, stderr: /0 of the 2 signatures|signatures/ })
  const once = value<{ missing: object[] }>(
    await signElsewhere(t, 'targets', draft, first, passphraseFile)
  )
  t.match(once.missing, [{ rootVersion: 1, signatures: 1 }])
  t.match(await runCommand(publish), { code: 1, stderr: /signature/ })
  t.match(await signElsewhere(t, 'targets', draft, first, passphraseFile), {
    code: 1,
    stderr: /has signed this draft already/
  })
  t.match(await signElsewhere(t, 'targets', draft, rootKeys[0] ?? '', passphraseFile), {
    code: 1,
    stderr: /is not one of role targets in root version 1/
  })
  const bad = join(folder, 'bad')
  writeFileSync(bad, 'wrong\n')
  t.match(await signElsewhere(t, 'targets', draft, second, bad), { code: 1, stderr: /passphrase/ })
  t.match(await signElsewhere(t, 'targets', draft, second), {
    code: 1,
    stderr: /is encrypted.*; give --key-passphrase FILE/
  })
  const twice = value<{ missing: object[]; sha256: string }>(
    await signElsewhere(t, 'targets', draft, third, passphraseFile)
  )
  t.match(twice.missing, [{ signatures: 0 }])
  t.match(await runCommand(['tuf', 'targets', 'show', draft]), {
    code: 0,
    stdout: new RegExp(`^SHA-256 {3}${twice.sha256} with`, 'm')
  })

  const published = value<{ rotated: string; version: number }>(
    await runCommand([...publish, '--json'])
  )
  t.match(published, { published: true, rotated: 'log', role: 'targets' })
  t.match(await runCommand(publish), { code: 1, stderr: /the draft is of targets version/ })
  const text = await bytesOf(`${server.publicUrl}/tuf/${published.version}.targets.json`)
  t.equal(sha256(text), twice.sha256, 'what was looked at is what is published')
  t.equal(
    sha256(await bytesOf(`${server.publicUrl}/api/v1/log/publicKey`)),
    sha256(execFileSync('openssl', ['pkey', '-in', logKey(dataDir, 1), '-pubout'])),
    'the new key signs'
  )
  await upload(server.publicUrl, 'after', key)
  await server.close()
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
})

t.test('each part, on a stopped server', async (t) => {
  const { folder, dataDir, passphraseFile, made } = await hold(t, '--offline-targets')
  const [first = '', second = ''] = made.ceremony.keyFiles.targets ?? []
  const commands: [name: string, ...argv: string[]][] = [
    ['log', 'rotate', 'log'],
    ['log', 'shard', 'rotate', '--new-key'],
    ['ct', 'rotate', 'ct'],
    ['ca', 'rotate', 'ca'],
    ['tsa', 'rotate', 'tsa']
  ]
  const keys = () => readdirSync(join(dataDir, 'keys')).length
  // A tree with the same key is no news, and waits for nobody.
  const sameKey = await runCommand(['shard', 'rotate', '--data-dir', dataDir])
  t.match(sameKey, { code: 0, stdout: /^closed .*\nopened .*\n.*\nkey file .* \(as before\)$/m })
  for (const [what, ...argv] of commands) {
    const before = keys()
    const draft = join(folder, `${argv.join('-')}.json`)
    const waiting = await runCommand([...argv, '--data-dir', dataDir, '--out', draft])
    t.equal(waiting.code, 0, waiting.stderr)
    t.match(
      waiting.stdout,
      /^draft {5}\/.*: nothing is signed with the new key until it is published/m
    )
    t.match(waiting.stdout, new RegExp(`^ +sigstead tuf targets publish ${draft}$`, 'm'))
    t.notMatch(waiting.stdout, /^(closed|opened|ended)/m, 'nothing has ended yet')
    t.ok(keys() > before)
    // A lost draft is drafted again.
    const again = join(folder, `again-${argv.join('-')}.json`)
    const redraft = ['tuf', 'targets', 'draft', '--data-dir', dataDir, '--out', again]
    t.match(value(await runCommand([...redraft, '--json'])), { draftFile: again })
    for (const file of [first, second]) {
      t.equal((await signElsewhere(t, 'targets', again, file, passphraseFile)).code, 0)
    }
    const published = await runCommand(['tuf', 'targets', 'publish', again, '--data-dir', dataDir])
    t.equal(published.code, 0, published.stderr)
    t.match(published.stdout, new RegExp(`^rotated {3}${what}\npublished$`, 'm'))
    // That the old one has ended is news as well, to be signed when somebody finds the time.
    const status = await runCommand(['status', '--data-dir', dataDir])
    t.equal(status.code, 0)
    t.notMatch(status.stdout, /the rotation of/)
  }
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
  const server = await startTestServer(t, testConfig(dataDir))
  await upload(server.publicUrl, 'a', key)
})

t.test('keys of targets move elsewhere later, in two steps', async (t) => {
  const dataDir = await initLog(t)
  const folder = tempFolder(t)
  const stick = value<Record<string, string>>(
    await runCommand(['tuf', 'key', 'new', folder, '--role', 'targets', '--json'])
  )
  const [here = ''] = readdirSync(join(dataDir, 'keys')).filter((name) => /^tuf-targets/.test(name))
  const herePublic = join(folder, 'here.pub')
  writeFileSync(
    herePublic,
    execFileSync('openssl', ['pkey', '-in', join(dataDir, 'keys', here), '-pubout'])
  )
  const rotateTo = (...files: string[]) =>
    runCommand([
      ...['rotate', 'tuf-targets', '--public-keys', files.join(','), '--publish'],
      ...['--data-dir', dataDir]
    ])
  t.match(await rotateTo(stick.publicKeyFile ?? ''), {
    code: 1,
    stderr: /the new root changes the keys of targets, and these are not here/
  })
  t.equal((await rotateTo(herePublic, stick.publicKeyFile ?? '')).code, 0, 'both may sign')
  const draft = join(folder, 'targets.json')
  const drafted = ['tuf', 'targets', 'draft', '--data-dir', dataDir, '--out', draft]
  t.equal((await runCommand(drafted)).code, 0)
  t.equal((await signElsewhere(t, 'targets', draft, stick.keyFile ?? '')).code, 0)
  t.equal((await runCommand(['tuf', 'targets', 'publish', draft, '--data-dir', dataDir])).code, 0)
  t.equal((await rotateTo(stick.publicKeyFile ?? '')).code, 0, 'and then the new one alone')
  t.match(
    value(
      await runCommand([
        'rotate',
        'tsa',
        '--data-dir',
        dataDir,
        '--out',
        join(folder, 'tsa.json'),
        '--json'
      ])
    ),
    { outcome: 'waiting' }
  )
})

/** Key files of the log, the oldest first. */
function logKey(dataDir: string, index: number): string {
  const folder = join(dataDir, 'keys')
  const files = readdirSync(folder)
    .filter((name) => name.startsWith('rekor-'))
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
  return files[index] ?? ''
}

t.test('the root: renewed, and with other keys', async (t) => {
  for (const isRunning of [true, false]) {
    await t.test(isRunning ? 'a running server' : 'a stopped one', async (t) => {
      const { folder, dataDir, passphraseFile, made } = await hold(t)
      const [first = '', second = '', third = ''] = made.ceremony.keyFiles.root
      const server = isRunning ? await startTestServer(t, testConfig(dataDir)) : undefined
      const at = ['--data-dir', dataDir]

      const renewal = join(folder, 'renewal.json')
      const drafted = await runCommand(['tuf', 'root', 'draft', '--out', renewal, ...at, '--json'])
      t.match(value(drafted), {
        role: 'root',
        version: 2,
        draftFile: renewal,
        keys: [{ hasSigned: false }, { hasSigned: false }, { hasSigned: false }]
      })
      t.match(await runCommand(['tuf', 'root', 'draft', '--out', renewal, ...at]), {
        code: 1,
        stderr: /renewal\.json exists, and may have signatures in it: name another file with --out/
      })
      for (const file of [first, third]) {
        t.equal((await signElsewhere(t, 'root', renewal, file, passphraseFile)).code, 0)
      }
      const shown = await runCommand(['tuf', 'root', 'publish', renewal, ...at])
      t.equal(shown.code, 1, 'not without a confirmation')
      const confirmation = /--confirm ([0-9a-f]{64})$/m.exec(shown.stdout)?.[1] ?? ''
      const publish = (sha: string, file = renewal) =>
        runCommand(['tuf', 'root', 'publish', file, '--confirm', sha, ...at])
      for (const wrong of ['', 'abc', sha256('x'), made.tufRepository.rootSha256]) {
        const refused = await publish(wrong)
        t.match(refused, { code: 1, stderr: /confirmed, and this is not it$/m }, wrong)
        t.notMatch(refused.stderr, confirmation, 'the right one is not told')
      }
      t.match(await publish(confirmation.toUpperCase()), { code: 0, stdout: /^published$/m })
      t.match(await publish(confirmation), { code: 1, stderr: /root version 2, and 3 is next/ })

      // A lost key is replaced by one that was made elsewhere.
      const stick = value<Record<string, string>>(
        await runCommand([
          ...['tuf', 'key', 'new', join(folder, 'new'), '--key-passphrase', passphraseFile],
          '--json'
        ])
      )
      const publicKeys = [first, second]
        .map((file) => file.replace(/pem$/, 'pub'))
        .concat(stick.publicKeyFile ?? '')
      const exchange = join(folder, 'exchange.json')
      const rotated = await runCommand([
        ...['rotate', 'tuf-root', '--public-keys', publicKeys.join(','), '--out', exchange],
        ...['--publish', ...at]
      ])
      t.equal(rotated.code, 1, 'it cannot be published at once')
      t.match(rotated.stdout, /^draft {5}.*, not published: signatures are missing\. Sign it/m)
      t.match(rotated.stdout, /^role {6}root: \+[0-9a-f]{64} -[0-9a-f]{64}$/m)
      t.notMatch(rotated.stdout, /key file/, 'no key was made here')
      // Two of the old root's keys must sign and two of the new one's.
      for (const [file, missing] of [
        [third, [1, 2]],
        [stick.keyFile ?? '', [1, 1]],
        [second, [0, 0]]
      ] as const) {
        const signed = value<{ missing: readonly { signatures: number }[] }>(
          await signElsewhere(t, 'root', exchange, file, passphraseFile)
        )
        t.strictSame(
          signed.missing.map(({ signatures }) => signatures),
          missing
        )
      }
      const { sha256: sha } = value<{ sha256: string }>(
        await runCommand(['tuf', 'root', 'show', exchange, '--json'])
      )
      t.equal((await publish(sha, exchange)).code, 0)
      await server?.close()

      t.equal((await runCommand(['verify', ...at])).code, 0)
      const again = await startTestServer(t, testConfig(dataDir))
      const { version, text } = await latestRoot(again.publicUrl)
      t.equal(version, 3)
      t.equal(sha256(text), sha)
      t.equal(again.rootSha256, sha)
      // Each signature, by Node's own hands.
      const { signed, signatures } = JSON.parse(text.toString()) as {
        signed: { keys: Record<string, { keyval: { public: string } }> }
        signatures: readonly { keyid: string; sig: string }[]
      }
      const canonical = Buffer.from(canonicalText(signed))
      const mine = signatures.filter(({ keyid }) => keyid in signed.keys)
      t.equal(mine.length, 2)
      for (const { keyid, sig } of mine) {
        const pem = signed.keys[keyid]?.keyval.public ?? ''
        t.ok(verify('sha256', canonical, createPublicKey(pem), Buffer.from(sig, 'hex')))
      }
      await again.close()
    })
  }
})

/** Canonical JSON as TUF means it: members in order, line feeds as they are. All texts in a root are ASCII. */
function canonicalText(item: unknown): string {
  return JSON.stringify(sorted(item)).replaceAll('\\n', '\n')
}

function sorted(item: unknown): unknown {
  if (Array.isArray(item)) return item.map(sorted)
  if (typeof item !== 'object' || item === null) return item
  const entries = Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]))
}

t.test('roles whose keys are elsewhere get none here', async (t) => {
  const { dataDir } = await hold(t, '--offline-targets')
  const before = readdirSync(join(dataDir, 'keys'))
  for (const role of ['root', 'targets']) {
    t.match(await runCommand(['rotate', `tuf-${role}`, '--data-dir', dataDir]), {
      code: 1,
      stderr: new RegExp(`the keys of TUF role ${role} are elsewhere: make a new one there with`)
    })
  }
  t.strictSame(readdirSync(join(dataDir, 'keys')), before)
})

t.test('where a ceremony is refused, before anything is made', async (t) => {
  const folder = tempFolder(t)
  const dataDir = join(folder, 'data')
  const full = join(folder, 'full')
  mkdirSync(full)
  writeFileSync(join(full, 'holiday.jpg'), '')
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const empty = join(folder, 'empty')
  writeFileSync(empty, '\n')
  const elsewhere = join(folder, 'elsewhere')
  const at = (...argv: string[]) => runCommand(['init', '--data-dir', dataDir, ...argv])
  const cases: [code: number, argv: string[], stderr: RegExp][] = [
    [2, ['--root-keys', '3'], /--root-keys needs --ceremony FOLDER$/m],
    [2, ['--offline-targets'], /--offline-targets needs --ceremony FOLDER$/m],
    [2, ['--ceremony', dataDir], /is inside of the data directory/],
    [2, ['--ceremony', join(dataDir, 'keys')], /is inside of the data directory/],
    [2, ['--ceremony', join(dataDir, '..sticks')], /is inside of the data directory/],
    [2, ['--ceremony', folder], /the data directory .* is inside of --ceremony/],
    [2, ['--ceremony', elsewhere, '--root-keys', '0'], /--root-keys must be a number from 1 to 32/],
    [2, ['--ceremony', elsewhere, '--root-keys', '33'], /--root-keys must be a number from 1 to/],
    [2, ['--ceremony', elsewhere, '--root-keys', '-1'], /--root-keys must be a number from 1 to/],
    [2, ['--ceremony', elsewhere, '--root-threshold', '4'], /is 4, and there are 3 root keys$/m],
    [2, ['--ceremony', elsewhere, '--tuf-enabled', 'false'], /and tuf\.enabled is false$/m],
    [1, ['--ceremony', full], /full is not empty: name another folder for --ceremony$/m],
    [1, ['--ceremony', file], /file cannot be a folder for keys: ENOTDIR$/m],
    [1, ['--ceremony', '/proc/sticks'], /cannot be a folder for keys: ENOENT$/m],
    [1, ['--ceremony', elsewhere, '--ceremony-passphrase', empty], /empty is empty$/m],
    [1, ['--ceremony', elsewhere, '--ceremony-passphrase', full], /cannot be read/]
  ]
  for (const [code, argv, stderr] of cases) {
    t.match(await at(...argv), { code, stdout: '', stderr }, argv.join(' '))
    t.notOk(existsSync(dataDir), argv.join(' '))
  }
  t.strictSame(readdirSync(full), ['holiday.jpg'])
  t.notOk(existsSync(elsewhere))

  // By another name it is the same place.
  const existing = await initLog(t, ['--tuf-enabled', 'false'])
  symlinkSync(existing, join(folder, 'link'))
  t.match(
    await runCommand([
      'init',
      '--data-dir',
      existing,
      '--ceremony',
      join(folder, 'link', 'sticks')
    ]),
    { code: 2, stderr: /is inside of the data directory/ }
  )
})

t.test('a directory that has a log but no TUF repository', async (t) => {
  const dataDir = await initLog(t, ['--tuf-enabled', 'false'])
  const sticks = join(dataDir, '..', 'sticks')
  const argv = ['init', '--data-dir', dataDir, '--ceremony', sticks, '--root-keys', '1', '--json']
  t.match(value(await runCommand(argv)), {
    ceremony: { threshold: 1, keyFiles: { root: [/tuf-root-/] } }
  })
  const again = join(dataDir, '..', 'again')
  const late = ['init', '--data-dir', dataDir, '--ceremony', again]
  t.match(await runCommand(late), {
    code: 1,
    stderr: /there is a TUF repository already: make keys elsewhere with sigstead tuf key new, /
  })
  t.strictSame(readdirSync(again), [], 'no keys that nobody needs')
})

t.test('interrupted, it is never finished with root keys in the data directory', async (t) => {
  const folder = tempFolder(t)
  // A kill while the keys were being made: the marker is there, and no repository.
  const other = join(folder, 'other')
  const killed = join(folder, 'killed')
  const failing = ['init', '--data-dir', killed, '--ceremony', other]
  const stopped = await runCommand(failing, {
    now: () => {
      throw new Error('power cut')
    }
  })
  t.equal(stopped.code, 1)
  t.ok(existsSync(join(killed, 'init.unfinished')))
  for (const command of ['init', 'start']) {
    t.match(await runCommand([command, '--data-dir', killed]), {
      code: 1,
      stderr:
        /was interrupted, and had --ceremony: run it with --ceremony and an empty folder again/
    })
  }
  const finished = await runCommand(failing)
  t.equal(finished.code, 0, finished.stderr)
  t.notOk(existsSync(join(killed, 'init.unfinished')))
  t.notOk(readdirSync(join(killed, 'keys')).some((each) => each.startsWith('tuf-root-')))
})
