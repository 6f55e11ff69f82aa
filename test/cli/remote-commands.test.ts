import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { KEY_FORMATS } from '../../src/client/rekor-client.js'
import { KEY_FORMAT_NAMES } from '../../src/entries/signature-formats.js'
import {
  artifactKey,
  initLog,
  runCommand,
  startTestServer,
  tempFolder,
  testConfig,
  upload
} from '../helpers/cli.js'
import { fakeTree, serveFake } from '../helpers/fake-rekor.js'

/** What `--json` printed. */
function json(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout) as Record<string, unknown>
}

t.test('against our own server', async (t) => {
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir))
  const { publicUrl } = server
  const folder = tempFolder(t)
  const key = artifactKey()
  const ids: string[] = []
  for (let i = 1; i < 6; i++) ids.push(await upload(publicUrl, `text ${i}`, key))
  const keyFile = join(folder, 'log.pub')
  writeFileSync(keyFile, await (await fetch(`${publicUrl}/api/v1/log/publicKey`)).text())
  const artifact = join(folder, 'text')
  writeFileSync(artifact, 'text 3')
  const artifactKeyFile = join(folder, 'artifact.pub')
  writeFileSync(artifactKeyFile, key.publicKeyPem)
  const at = ['--server', publicUrl]
  const pinned = [...at, '--log-key', keyFile]

  t.test('entry get', async (t) => {
    for (const wanted of ['3', ids[2] ?? '', (ids[2] ?? '').slice(16).toUpperCase()]) {
      const { code, stdout, stderr } = await runCommand([
        'entry',
        'get',
        wanted,
        ...pinned,
        '--json'
      ])
      t.equal(code, 0, stderr)
      t.equal(stderr, '')
      t.match(json(stdout), {
        entryId: ids[2],
        logIndex: 3,
        leafIndex: 3,
        logId: server.logId,
        verified: true,
        keyPinned: true,
        body: { kind: 'hashedrekord' }
      })
    }
    const human = await runCommand(['entry', 'get', '3', ...pinned])
    t.match(human.stdout, /^log index {3}3$/m)
    t.match(
      human.stdout,
      /^verified {4}entry ID, signed entry timestamp, inclusion proof, checkpoint$/m
    )
    const unpinned = await runCommand(['entry', 'get', '3', ...at])
    t.equal(unpinned.code, 0)
    t.match(unpinned.stdout, /checkpoint \(with the key the server gave\)$/m)
    t.equal(unpinned.stderr, `the log key is whatever ${publicUrl} says: pin it with --log-key\n`)
  })

  t.test('entry get, refusals', async (t) => {
    t.match(await runCommand(['entry', 'get', '99', ...pinned]), {
      code: 1,
      stderr: /answered 404\n$/
    })
    const foreign = join(folder, 'foreign.pub')
    writeFileSync(foreign, fakeTree('1', ['{}']).publicKeyPem)
    t.match(await runCommand(['entry', 'get', '3', ...at, '--log-key', foreign]), {
      code: 1,
      stdout: '',
      stderr: /^sigstead: signed by log [0-9a-f]{64}, but the given key is of [0-9a-f]{64}\n$/
    })
    const usage: [argv: string[], stderr: RegExp][] = [
      [['entry', 'get', 'xyz', ...at], /^sigstead: ENTRY .*\(got xyz\)$/m],
      [['entry', 'get', '-1'], /-1 is not a known flag here/],
      [
        ['entry', 'get', '0', ...at, '--log-key', artifact],
        /^sigstead: --log-key: .*text: no PEM block/m
      ],
      [['entry', 'get', '0', ...at, '--log-key', join(folder, 'no')], /cannot read .*no: ENOENT/],
      [
        ['entry', 'get', '0', '--server', 'ftp://x'],
        /--server must be an http or https URL \(got ftp/
      ],
      [['entry', 'get', '0', ...at, '--timeout-ms', '0'], /--timeout-ms must be a number from 1 to/]
    ]
    for (const [argv, stderr] of usage) {
      const result = await runCommand(argv)
      t.match(result, { code: 2, stdout: '' }, argv.join(' '))
      t.match(result.stderr, stderr)
    }
  })

  t.test('entry search', async (t) => {
    t.strictSame([...KEY_FORMATS].sort(), [...KEY_FORMAT_NAMES].sort(), 'what servers take')
    const hash = createHash('sha256').update('text 3').digest('hex')
    const byKey = ['--public-key', artifactKeyFile]
    const cases: [argv: string[], found: string[]][] = [
      [['--hash', hash], [ids[2] ?? '']],
      [['--hash', `sha256:${hash}`], [ids[2] ?? '']],
      [['--artifact', artifact], [ids[2] ?? '']],
      [byKey, ids],
      [[...byKey, '--artifact', artifact, '--operator', 'and'], [ids[2] ?? '']],
      [[...byKey, '--artifact', artifact, '--operator', 'or'], ids],
      [['--public-key', 'test/vectors/rekor/pki/tuf/1.root.json', '--format', 'tuf'], []],
      [['--email', 'nobody@example.com'], []]
    ]
    for (const [argv, found] of cases) {
      const { code, stdout, stderr } = await runCommand(['entry', 'search', ...at, ...argv])
      t.equal(code, 0, stderr)
      t.strictSame(stdout.split('\n').filter(Boolean).sort(), [...found].sort(), argv.join(' '))
      t.equal(stderr, found.length === 0 ? 'no entries found\n' : '')
    }
    const asJson = await runCommand(['entry', 'search', ...at, '--hash', hash, '--json'])
    t.strictSame(json(asJson.stdout), { entries: [ids[2]] })
    const usage: [argv: string[], stderr: RegExp][] = [
      [[], /nothing to search for/],
      [['--hash', hash, '--artifact', artifact], /exclude each other/],
      [['--hash', hash, '--operator', 'xor'], /--operator must be and or or \(got xor\)/],
      [[...byKey, '--format', 'pkcs7'], /--format must be one of x509, pgp, minisign, ssh, tuf/],
      [['--artifact', folder], /--artifact: cannot read .*: EISDIR/],
      [['--public-key', join(folder, 'no')], /--public-key: cannot read .*: ENOENT/]
    ]
    for (const [argv, stderr] of usage) {
      const result = await runCommand(['entry', 'search', ...at, ...argv])
      t.equal(result.code, 2, argv.join(' '))
      t.match(result.stderr, stderr)
    }
    t.match(await runCommand(['entry', 'search', ...at, '--hash', 'xyz']), {
      code: 1,
      stderr: /answered 422: hash in body should match/
    })
  })

  t.test('log info', async (t) => {
    const { code, stdout } = await runCommand(['log', 'info', ...pinned, '--json'])
    t.equal(code, 0)
    t.match(json(stdout), {
      entries: 6,
      verified: true,
      keyPinned: true,
      trees: [{ treeId: server.treeId, state: 'active', treeSize: 6, origin: server.origin }]
    })
    t.match((await runCommand(['log', 'info', ...pinned])).stdout, /^entries {5}6$/m)
  })

  t.test('entry proof', async (t) => {
    const proof = ['entry', 'proof', ...pinned]
    for (const first of [1, 2, 3, 4, 5, 6]) {
      for (const last of [first, 6]) {
        const argv = [...proof, '--first-size', String(first), '--last-size', String(last)]
        const { code, stdout, stderr } = await runCommand([...argv, '--json'])
        t.equal(code, 0, stderr)
        t.match(json(stdout), {
          verified: true,
          first: { treeSize: first },
          last: { treeSize: last }
        })
      }
    }
    const kept = join(folder, 'checkpoint')
    const info = (await (await fetch(`${publicUrl}/api/v1/log`)).json()) as {
      signedTreeHead: string
    }
    writeFileSync(kept, info.signedTreeHead)
    await upload(publicUrl, 'one more', key)
    const grown = await runCommand([...proof, '--checkpoint', kept])
    t.match(grown, { code: 0, stdout: /^first {7}size 6, [^]*^last {8}size 7, /m })

    t.match(await runCommand([...proof, '--first-size', '8']), {
      code: 1,
      stderr: /size 8 is beyond the tree, which has 7 leaves/
    })
    t.match(await runCommand([...proof, '--first-size', '5', '--last-size', '3']), {
      code: 1,
      stderr: /firstSize\(5\) must be less than lastSize\(3\)/
    })
    t.match(await runCommand([...proof, '--tree-id', '5']), {
      code: 1,
      stderr: /the server has no tree 5/
    })
    const usage: [argv: string[], stderr: RegExp][] = [
      [['--checkpoint', kept, '--first-size', '1'], /leave out --first-size and --tree-id/],
      [['--checkpoint', artifact], /--checkpoint: .*text: signed note: /],
      [['--first-size', '0'], /--first-size must be a number from 1 to/]
    ]
    for (const [argv, stderr] of usage) {
      const result = await runCommand([...proof, ...argv])
      t.equal(result.code, 2, argv.join(' '))
      t.match(result.stderr, stderr)
    }
  })
})

t.test('a server that lies is caught', async (t) => {
  const leaves = Array.from({ length: 7 }, (_, i) => `{"leaf":${i}}`)
  const tree = fakeTree('7', leaves, 0)
  const fork = fakeTree('7', [...leaves.slice(0, 2), '{"other":2}', ...leaves.slice(3)], 0)
  const folder = tempFolder(t)
  const keyFile = join(folder, 'log.pub')
  writeFileSync(keyFile, tree.publicKeyPem)

  /** Runs a command against a server that tampers. */
  async function ask(argv: string[], tamper: (path: string, answer: unknown) => unknown) {
    const server = await serveFake([tree], tamper)
    try {
      return await runCommand([...argv, '--server', server.url, '--log-key', keyFile])
    } finally {
      await server.close()
    }
  }

  const honest = (_path: string, answer: unknown) => answer
  t.match(await ask(['entry', 'get', '2'], honest), { code: 0 })
  t.match(await ask(['entry', 'proof', '--first-size', '3'], honest), { code: 0 })
  t.match(await ask(['log', 'info'], honest), { code: 0 })

  const cases: [
    name: string,
    argv: string[],
    tamper: (path: string, answer: unknown) => unknown,
    stderr: RegExp
  ][] = [
    [
      'another entry at this index',
      ['entry', 'get', '2'],
      () => tree.entry(3),
      /answered with log index 3 instead of 2/
    ],
    [
      'another entry under this ID',
      ['entry', 'get', tree.entryId(2)],
      () => tree.entry(3),
      /answered with entry .* instead of/
    ],
    [
      'the entry of a fork',
      ['entry', 'get', '2'],
      (path) => (path.includes('publicKey') ? tree.publicKeyPem : fork.entry(2)),
      /signed by log .*, but the given key is of/
    ],
    [
      'a log of another key',
      ['log', 'info'],
      (path) => (path.includes('publicKey') ? fork.publicKeyPem : { ...fork.info() }),
      /signed by log .*, but the given key is of/
    ],
    [
      'an unsigned size',
      ['log', 'info'],
      (path, answer) => (path === '/api/v1/log' ? { ...tree.info(), treeSize: 8 } : answer),
      /checkpoint of size 7 .* want 8/
    ],
    [
      'a proof of something else',
      ['entry', 'proof', '--first-size', '3'],
      (path, answer) => (path.includes('proof') ? fork.proof(3, 7) : answer),
      /consistency proof leads to root/
    ],
    [
      'another leaf than the one asked for',
      ['entry', 'proof', '--first-size', '3'],
      (path, answer) => (path.includes('logIndex') ? tree.entry(4) : answer),
      /answered with leaf 4 instead of 3/
    ]
  ]
  for (const [name, argv, tamper, stderr] of cases) {
    const result = await ask(argv, tamper)
    t.match(result, { code: 1, stdout: '' }, name)
    t.match(result.stderr, stderr, name)
  }
})

t.test('a kept checkpoint of a tree that the log has forgotten', async (t) => {
  const tree = fakeTree('7', ['{"a":0}', '{"a":1}', '{"a":2}'])
  const server = await serveFake([tree])
  t.teardown(server.close)
  const folder = tempFolder(t)
  const kept = join(folder, 'checkpoint')
  writeFileSync(kept, String(fakeTree('7', ['{"b":0}', '{"b":1}']).info().signedTreeHead))
  t.match(await runCommand(['entry', 'proof', '--server', server.url, '--checkpoint', kept]), {
    code: 1,
    stderr: /checkpoint has no signature of the key of "fake.test"/
  })
})

t.test('two shards with two keys', async (t) => {
  const old = fakeTree('5', ['{"a":0}', '{"a":1}'])
  const tree = fakeTree('7', ['{"b":0}', '{"b":1}', '{"b":2}'], 2)
  const server = await serveFake([old, tree])
  t.teardown(server.close)
  const folder = tempFolder(t)
  const both = join(folder, 'both.pub')
  writeFileSync(both, `${old.publicKeyPem}${tree.publicKeyPem}`)
  const at = ['--server', server.url, '--log-key', both, '--json']
  t.match(json((await runCommand(['log', 'info', ...at])).stdout), {
    entries: 5,
    trees: [
      { treeId: '5', state: 'frozen' },
      { treeId: '7', state: 'active' }
    ]
  })
  t.match(json((await runCommand(['entry', 'get', '1', ...at])).stdout), {
    treeId: '5',
    leafIndex: 1
  })
  t.match(json((await runCommand(['entry', 'get', '3', ...at])).stdout), {
    treeId: '7',
    leafIndex: 1
  })
  t.match(json((await runCommand(['entry', 'proof', '--tree-id', '5', ...at])).stdout), {
    treeId: '5',
    last: { treeSize: 2 }
  })
  const one = join(folder, 'one.pub')
  writeFileSync(one, tree.publicKeyPem)
  t.match(await runCommand(['log', 'info', '--server', server.url, '--log-key', one]), {
    code: 1,
    stderr: /signed by log /
  })
})
