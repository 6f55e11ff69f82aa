import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readPassphrase, readSigner } from '../../src/config/secrets.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import {
  generateLogKey,
  exportPrivateKeyPem,
  createLocalSigner
} from '../../src/keys/local-signer.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { verifyData } from '../../src/keys/verify.js'

const dir = t.testdir({})

function file(name: string, text: string, mode = 0o600): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

t.test('passphrase', async (t) => {
  const none = { hostname: undefined, keyPassphrase: undefined, keyPassphraseFile: undefined }
  const limits = { batch: { maxLeaves: 1, maxAgeMs: 0 }, queue: { maxLeaves: 1, maxBytes: 1 } }
  const read = (given: { keyPassphrase?: string; keyPassphraseFile?: string }) =>
    readPassphrase({ ...none, ...limits, ...given })
  t.equal(read({}), undefined)
  t.equal(read({ keyPassphrase: 'from environment' }), 'from environment')
  const cases: [text: string, expected: string][] = [
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret', 'secret'],
    [' two words \n\n', ' two words \n']
  ]
  for (const [text, expected] of cases) {
    t.equal(read({ keyPassphraseFile: file('pass', text, 0o444) }), expected, JSON.stringify(text))
  }
  const empty = file('empty', '\n')
  t.throws(() => read({ keyPassphraseFile: empty }), {
    message: `passphrase file ${empty} is empty`
  })
  const absent = join(dir, 'absent')
  t.throws(() => read({ keyPassphraseFile: absent }), {
    code: 'invalid_request',
    message: `passphrase file ${absent} does not exist: restore it from your backup`
  })
  t.throws(() => read({ keyPassphraseFile: dir }), { message: /cannot be read: EISDIR/ })
  t.throws(() => read({ keyPassphraseFile: file('big', 'x'.repeat(70_000)) }), {
    message: /is larger than 65536 bytes/
  })
})

t.test('a signer from a file', async (t) => {
  const key = await generateLogKey()
  const { publicKey } = createLocalSigner(key)
  const plain = exportPrivateKeyPem(key)
  const encrypted = exportPrivateKeyPem(key, 'right')
  for (const [pem, passphrase] of [
    [plain, undefined],
    [plain, 'not needed'],
    [encrypted, 'right']
  ] as const) {
    const signer = readSigner(file('good.pem', pem), passphrase)
    t.strictSame(signer.publicKey, publicKey)
    const message = encodeUtf8('message')
    await verifyData(parsePublicKey(publicKey), 'sha256', message, await signer.sign(message))
  }

  const cases: [name: string, path: string, passphrase: string | undefined, message: RegExp][] = [
    ['missing', join(dir, 'none.pem'), undefined, /^log key .*none.pem does not exist: restore/],
    [
      'no passphrase',
      file('e.pem', encrypted),
      undefined,
      /is encrypted .*; set SIGSTEAD_LOG_KEY_/
    ],
    ['wrong passphrase', file('e.pem', encrypted), 'wrong', /wrong passphrase or damaged file$/],
    ['not a key', file('n.pem', 'hello'), undefined, /n.pem: not a PKCS#8 private key in PEM$/],
    [
      'damaged',
      file('d.pem', plain.replace(/\n.{8}/, '\nAAAAAAAA')),
      undefined,
      /^log key .*d.pem: /
    ]
  ]
  for (const [name, path, passphrase, message] of cases) {
    t.throws(() => readSigner(path, passphrase), { name: 'LogError', message }, name)
  }
})

t.test('a key that others can touch is refused', async (t) => {
  const pem = exportPrivateKeyPem(await generateLogKey())
  for (const mode of [0o644, 0o640, 0o604, 0o660, 0o601, 0o620]) {
    const path = file('open.pem', pem, mode)
    t.throws(() => readSigner(path, undefined), {
      code: 'invalid_request',
      message: `log key ${path} is open to other users (mode 0${mode.toString(8)}): run chmod 600 ${path}, and if somebody may have read it, rotate to a new key`
    })
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    t.doesNotThrow(() => readSigner(file('own.pem', pem, mode), undefined))
  }
})

t.test('a folder in place of the key', async (t) => {
  const path = join(dir, 'folder.pem')
  mkdirSync(path, { mode: 0o700 })
  t.throws(() => readSigner(path, undefined), { message: /cannot be read: EISDIR$/ })
})
