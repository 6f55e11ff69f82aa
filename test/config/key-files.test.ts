import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createLogKey, syncFolder, writeDurably } from '../../src/config/key-files.js'
import { readTreeSigner } from '../../src/config/secrets.js'

const dir = t.testdir({})

t.test('a new key in a folder of its own', async (t) => {
  const keys = join(dir, 'one', 'keys')
  const { signer, keyName } = await createLogKey(keys, 'rekor', undefined)
  t.match(keyName, /^rekor-[0-9a-f]{16}\.pem$/)
  t.equal(statSync(keys).mode & 0o777, 0o700)
  t.equal(statSync(join(keys, keyName)).mode & 0o777, 0o600)
  t.strictSame(readTreeSigner({ keys }, { keyName }, undefined).publicKey, signer.publicKey)

  const next = await createLogKey(keys, 'rekor', 'secret')
  t.not(next.keyName, keyName, 'a second one beside it')
  t.match(readFileSync(join(keys, next.keyName), 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
  t.strictSame(readTreeSigner({ keys }, next, 'secret').publicKey, next.signer.publicKey)
})

t.test('modes hold whatever the umask', async (t) => {
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  const keys = join(dir, 'umask')
  const { keyName } = await createLogKey(keys, 'rekor', undefined)
  t.equal(statSync(join(keys, keyName)).mode & 0o777, 0o600)
})

t.test('nothing is overwritten', async (t) => {
  const file = join(dir, 'file')
  writeFileSync(file, 'before')
  t.throws(() => writeDurably(file, 'after', 0o600), { code: 'EEXIST' })
  t.equal(readFileSync(file, 'utf8'), 'before')
  t.doesNotThrow(() => syncFolder(dir))
})

t.test('the database cannot name a file elsewhere', async (t) => {
  const keys = join(dir, 'keys')
  mkdirSync(keys)
  writeFileSync(join(dir, 'outside.pem'), 'x')
  chmodSync(join(dir, 'outside.pem'), 0o600)
  for (const keyName of ['../outside.pem', '/etc/passwd', '.', '..', 'a/b.pem', '.hidden']) {
    t.throws(() => readTreeSigner({ keys }, { keyName }, undefined), {
      code: 'integrity',
      message: `the database names a key file "${keyName}" outside its folder`
    })
  }
  t.notOk(existsSync(join(keys, 'outside.pem')))
})
