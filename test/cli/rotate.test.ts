import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  artifactKey,
  type CliResult,
  initLog,
  runCommand,
  startTestServer,
  tempFolder,
  testConfig,
  upload
} from '../helpers/cli.js'

const key = artifactKey()

const PARTS = ['log', 'ct', 'ca', 'tsa'] as const

/** Keys that a part gets when it is rotated. */
const NEW_KEYS: Readonly<Record<(typeof PARTS)[number], readonly string[]>> = {
  log: ['rekor'],
  ct: ['ct'],
  ca: ['ca'],
  tsa: ['tsa', 'tsa-root']
}

interface Rotated {
  readonly what: string
  readonly outcome: string
  readonly keyFile?: string
  readonly newKey: boolean
  readonly changes: readonly { kind: string; change: string; id: string }[]
  readonly closed?: { treeId: string; treeSize: number; offset: number }
  readonly opened?: { treeId: string; offset?: number }
  readonly logId?: string
}

interface TrustedRoot {
  readonly tlogs: readonly Instance[]
  readonly ctlogs: readonly Instance[]
  readonly certificateAuthorities: readonly Authority[]
  readonly timestampAuthorities: readonly Authority[]
}

interface Instance {
  readonly publicKey: { readonly rawBytes: string; readonly validFor: { readonly end?: string } }
}

interface Authority {
  readonly validFor: { readonly end?: string }
}

function keyFiles(dataDir: string): readonly string[] {
  return readdirSync(join(dataDir, 'keys')).sort()
}

/** Everything in a data directory that rotation could change, but for what is in the database. */
async function stateOf(dataDir: string): Promise<unknown> {
  const { stdout } = await runCommand(['status', '--data-dir', dataDir, '--json'])
  const status = JSON.parse(stdout) as { calendar: readonly { daysLeft: number }[] }
  // A day may end meanwhile.
  const calendar = status.calendar.map((entry) => ({ ...entry, daysLeft: undefined }))
  return [keyFiles(dataDir), { ...status, calendar }]
}

async function trustedRootOf(url: string): Promise<TrustedRoot> {
  return (await (await fetch(`${url}/bootstrap/trusted_root.json`)).json()) as TrustedRoot
}

/** How many of each kind are still believed, and how many are not any more. */
function windowsOf(root: TrustedRoot): Record<string, [open: number, ended: number]> {
  const count = (windows: readonly { end?: string }[]): [number, number] => [
    windows.filter(({ end }) => end === undefined).length,
    windows.filter(({ end }) => end !== undefined).length
  ]
  return {
    log: count(root.tlogs.map(({ publicKey }) => publicKey.validFor)),
    ct: count(root.ctlogs.map(({ publicKey }) => publicKey.validFor)),
    ca: count(root.certificateAuthorities.map(({ validFor }) => validFor)),
    tsa: count(root.timestampAuthorities.map(({ validFor }) => validFor))
  }
}

function rotate(dataDir: string, ...argv: string[]): Promise<CliResult> {
  return runCommand(['rotate', ...argv, '--data-dir', dataDir])
}

t.test('each part, while the server runs', async (t) => {
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir))
  for (const part of PARTS) {
    await t.test(part, async (t) => {
      const before = keyFiles(dataDir)
      const windows = windowsOf(await trustedRootOf(server.publicUrl))
      const dry = await rotate(dataDir, part, '--dry-run', '--json')
      t.equal(dry.code, 0, dry.stderr)
      const looked = JSON.parse(dry.stdout) as Rotated
      t.match(looked, { what: part, outcome: 'dry-run', newKey: true })
      t.notOk('keyFile' in looked, 'a key that was not kept is not named')
      t.strictSame(keyFiles(dataDir), before, 'nothing was made')
      t.strictSame(windowsOf(await trustedRootOf(server.publicUrl)), windows)

      const { code, stdout, stderr } = await rotate(dataDir, part, '--json')
      t.equal(code, 0, stderr)
      const rotated = JSON.parse(stdout) as Rotated
      t.match(rotated, { what: part, outcome: 'done', newKey: true })
      const made = keyFiles(dataDir).filter((name) => !before.includes(name))
      t.strictSame(
        made.map((name) => name.slice(0, name.lastIndexOf('-'))).sort(),
        [...NEW_KEYS[part]].sort()
      )
      const [name = ''] = made.filter((each) => rotated.keyFile?.endsWith(each))
      t.equal(rotated.keyFile, join(dataDir, 'keys', name))
      t.equal(statSync(rotated.keyFile ?? '').mode & 0o777, 0o600)
      t.strictSame(
        looked.changes.map(({ kind, change }) => [kind, change]),
        rotated.changes.map(({ kind, change }) => [kind, change]),
        'the look told what happened'
      )
      t.strictSame(windowsOf(await trustedRootOf(server.publicUrl)), {
        ...windows,
        [part]: [1, (windows[part]?.[1] ?? 0) + 1]
      })
      if (part === 'log' || part === 'ct') {
        t.match(rotated.logId, new RegExp(`^${/-([0-9a-f]{16})\.pem$/.exec(name)?.[1] ?? '!'}`))
        t.not(rotated.opened?.treeId, rotated.closed?.treeId)
      } else {
        t.notOk('closed' in rotated || 'opened' in rotated || 'logId' in rotated)
      }
      await upload(server.publicUrl, `after ${part}`, key)
    })
  }
  await server.close()
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
})

t.test('each part, while no server runs', async (t) => {
  const dataDir = await initLog(t)
  for (const part of PARTS) {
    const before = await stateOf(dataDir)
    const dry = await rotate(dataDir, part, '--dry-run')
    t.equal(dry.code, 0, dry.stderr)
    t.match(
      dry.stdout,
      new RegExp(`^nothing was changed; rotating ${part} would, with another key:$`, 'm')
    )
    t.notMatch(dry.stdout, /^key file/m)
    t.strictSame(await stateOf(dataDir), before, part)
    const done = await rotate(dataDir, part)
    t.equal(done.code, 0, done.stderr)
    t.match(done.stdout, /^key file {2}\/.*\.pem \(new: back it up\)$/m)
    t.match(done.stdout, /^ended .* believed from 20\S+Z until 20\S+Z$/m)
    t.match(done.stdout, /^added .* believed from 20\S+Z$/m)
    const isLog = part === 'log' || part === 'ct'
    t.equal(/^closed .*\nopened /m.test(done.stdout), isLog)
  }
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
  // What was told to clients is the address they were told before, and nobody is surprised by a start.
  const { publicUrl } = JSON.parse(
    (await runCommand(['status', '--data-dir', dataDir, '--json'])).stdout
  ) as { publicUrl: string }
  t.equal(publicUrl, 'http://127.0.0.1:3000')
  const server = await startTestServer(t, testConfig(dataDir))
  t.strictSame(windowsOf(await trustedRootOf(server.publicUrl)), {
    log: [1, 1],
    ct: [1, 1],
    ca: [1, 1],
    tsa: [1, 1]
  })
  await upload(server.publicUrl, 'a', key)
})

t.test('the log with the key it has', async (t) => {
  const dataDir = await initLog(t)
  const before = keyFiles(dataDir)
  const dry = await rotate(dataDir, 'log', '--keep-key', '--dry-run')
  t.match(dry, { code: 0, stdout: /^nothing was changed; rotating log would:$/m })
  const { code, stdout } = await rotate(dataDir, 'log', '--keep-key')
  t.equal(code, 0)
  t.match(stdout, /^log ID {4}[0-9a-f]{64} \(as before\)\nkey file {2}\/.*\.pem \(as before\)$/m)
  t.strictSame(keyFiles(dataDir), before)
})

t.test('what does not go together', async (t) => {
  // None of these looks at the data directory.
  const dataDir = join(tempFolder(t), 'none')
  const cases: [argv: string[], stderr: RegExp][] = [
    [
      ['lgo'],
      /lgo cannot be rotated \(did you mean log\?\); what can: log, ct, ca, tsa, tuf-root, /
    ],
    [['tuf'], /tuf cannot be rotated; what can: /],
    [['tuf-rot'], /tuf-rot cannot be rotated \(did you mean tuf-root\?\)/],
    [['ct', '--keep-key'], /--keep-key is for rotate log, not for ct$/m],
    [['tuf-root', '--keep-key'], /--keep-key is for rotate log, not for tuf-root$/m],
    [['tsa', '--chain', 'x.pem'], /--chain is for rotate ca, not for tsa$/m],
    [['log', '--publish'], /--publish is for rotate tuf-root, .*, not for log$/m],
    [['ca', '--threshold', '2'], /--threshold is for rotate tuf-root, .*, not for ca$/m],
    [['log', '--public-keys', 'a.pub'], /--public-keys is for rotate tuf-root, .*, not for log$/m],
    [['tuf-root', '--dry-run', '--publish'], /--dry-run writes nothing: .* --publish$/m],
    [['log', '--dry-run', '--out', 'x'], /--dry-run writes nothing: .* --out$/m],
    [['tuf-root', '--threshold', '0'], /--threshold must be a number from 1 to 9999 \(got 0\)/],
    [['tuf-root', '--threshold', '1e3'], /--threshold must be a number/],
    [[], /sigstead rotate takes PART \(got none\)/],
    [['log', 'ct'], /sigstead rotate takes PART \(got log ct\)/]
  ]
  for (const [argv, stderr] of cases) {
    t.match(await rotate(dataDir, ...argv), { code: 2, stdout: '', stderr }, argv.join(' '))
  }
})

t.test('what cannot be done, with nothing changed', async (t) => {
  const folder = tempFolder(t)
  const dataDir = await initLog(t)
  const noise = join(folder, 'noise')
  writeFileSync(noise, 'noise')
  const twoKeys = join(folder, 'two.pub')
  const made = await runCommand(['tuf', 'key', 'new', join(folder, 'usb'), '--json'])
  const { keyFile, publicKeyFile } = JSON.parse(made.stdout) as Record<string, string>
  const publicKey = readFileSync(publicKeyFile ?? '', 'utf8')
  writeFileSync(twoKeys, publicKey + publicKey)
  const before = await stateOf(dataDir)
  const cases: [argv: string[], stderr: RegExp][] = [
    [['ca', '--chain', join(folder, 'absent')], /absent does not exist$/m],
    [['ca', '--chain', folder], /cannot be read: EISDIR$/m],
    [['ca', '--chain', noise], /PEM|certificate/],
    [['tuf-root', '--public-keys', noise], /noise: no PEM block, expected PUBLIC KEY$/m],
    [['tuf-root', '--public-keys', ''], /a file without a name does not exist$/m],
    [['tuf-root', '--public-keys', `${publicKeyFile},`], /a file without a name does not exist$/m],
    [['tuf-root', '--public-keys', twoKeys], /two\.pub: trailing data after PEM block/],
    [
      ['tuf-root', '--public-keys', keyFile ?? ''],
      /PEM block is PRIVATE KEY, expected PUBLIC KEY$/m
    ],
    [['tuf-root', '--public-keys', `${publicKeyFile},${publicKeyFile}`], /twice/],
    [['tuf-root', '--public-keys', publicKeyFile ?? '', '--threshold', '2'], /threshold/],
    [['tuf-root', '--threshold', '2'], /threshold of role root is 2, and it would have 1 keys/],
    [['log', '--out', noise], /noise exists, and may have signatures in it: name another file/],
    [['tuf-snapshot', '--out', noise], /noise exists, and may have signatures in it/],
    [['tuf-snapshot', '--out', join(folder, 'no', 'x')], /x cannot be written: ENOENT$/m],
    [['tuf-snapshot', '--out', join(noise, 'x')], /x cannot be written: ENOTDIR$/m],
    [['log', '--public-url', 'http://a.test', '--log-hostname', 'b.test'], /publicUrl/],
    [['log', '--ct-enabled', 'maybe'], /--ct-enabled must be/]
  ]
  for (const [argv, stderr] of cases) {
    const result = await rotate(dataDir, ...argv)
    t.match(result, { stdout: '', stderr }, argv.join(' '))
    t.notMatch(result.stderr, /this is a bug/)
    t.not(result.code, 0)
  }
  t.strictSame(await stateOf(dataDir), before)
  t.equal(readFileSync(noise, 'utf8'), 'noise')

  for (const [part, flag] of [
    ['ct', 'ct-enabled'],
    ['tsa', 'tsa-enabled'],
    ['ca', 'ca-enabled']
  ] as const) {
    const off = part === 'ct' ? ['--ca-enabled', 'false'] : []
    t.match(await rotate(dataDir, part, `--${flag}`, 'false', ...off), {
      code: 1,
      stderr: new RegExp(`there is no .*: ${part}\\.enabled is false$`, 'm')
    })
  }
  t.match(await rotate(dataDir, 'tuf-root', '--tuf-enabled', 'false'), {
    code: 1,
    stderr: /there is no TUF repository: tuf\.enabled is false$/m
  })
  t.match(await rotate(join(folder, 'none'), 'log'), { code: 1, stderr: /holds no log: run/ })
  t.match(await rotate(folder, 'log'), { code: 1, stderr: /has files in it but no sigstead\.db/ })
  t.strictSame(await stateOf(dataDir), before)
})

t.test('a TUF role whose keys are here', async (t) => {
  const folder = tempFolder(t)
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir))
  const rootOf = async (version: number) =>
    (await fetch(`${server.publicUrl}/tuf/${version}.root.json`)).status
  let version = 1
  for (const role of ['root', 'targets', 'snapshot', 'timestamp']) {
    await t.test(role, async (t) => {
      const before = keyFiles(dataDir)
      const dry = await rotate(dataDir, `tuf-${role}`, '--dry-run', '--json')
      t.match(JSON.parse(dry.stdout), { role: 'root', version: version + 1, dryRun: true })
      t.notMatch(dry.stdout, /keyFile/)
      t.strictSame(keyFiles(dataDir), before)

      // Not published without being asked to.
      const out = join(folder, `${role}.json`)
      const drafted = await rotate(dataDir, `tuf-${role}`, '--out', out)
      t.equal(drafted.code, 0, drafted.stderr)
      t.match(drafted.stdout, /^draft {5}\/.*, all have signed$/m)
      t.equal(await rootOf(version + 1), 404)
      const confirm = /^ +sigstead (tuf root publish \S+ --confirm [0-9a-f]{64})$/m.exec(
        drafted.stdout
      )?.[1]
      const published = await runCommand([...(confirm ?? '').split(' '), '--data-dir', dataDir])
      t.equal(published.code, 0, published.stderr)
      version++
      t.equal(await rootOf(version), 200)

      const at = await rotate(dataDir, `tuf-${role}`, '--publish', '--json')
      t.equal(at.code, 0, at.stderr)
      const value = JSON.parse(at.stdout) as { sha256: string; keyFile: string }
      t.match(value, { published: true, version: version + 1 })
      t.notMatch(at.stdout, /draftFile/)
      version++
      t.equal(await rootOf(version), 200)
      const { rootSha256 } = JSON.parse(
        (await runCommand(['status', '--data-dir', dataDir, '--json'])).stdout
      ) as { rootSha256: string }
      t.equal(rootSha256, value.sha256)
      t.equal(keyFiles(dataDir).length, before.length + 2)
      t.ok(keyFiles(dataDir).some((name) => value.keyFile.endsWith(name)))
      // The draft that was published is of no use any more.
      t.match(await runCommand([...(confirm ?? '').split(' '), '--data-dir', dataDir]), {
        code: 1,
        stderr: /the draft is of root version \d+, and \d+ is next/
      })
    })
  }
  t.equal(version, 9)
  const publishedAgain = await rotate(dataDir, 'tsa')
  t.equal(publishedAgain.code, 0, 'the new keys sign')
  await server.close()
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
})
