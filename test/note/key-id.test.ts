import t from 'tap'
import { readFileSync } from 'node:fs'
import { KEY_ID_BYTES, keyIdOf } from '../../src/note/key-id.js'

t.test('first four bytes of SHA-256 over the key, whatever its type', (t) => {
  // As `openssl pkey -pubin -outform DER | sha256sum` begins.
  const cases = [
    ['pubKeyP256.pem', '11ff3c01'],
    ['pubKeyRSA2048.pem', '8d455691'],
    ['pubKeyEd25519.pem', '4771e5a4']
  ] as const
  for (const [file, want] of cases) {
    const pem = readFileSync(`test/vectors/rekor/inline/keys/${file}`, 'utf8')
    const keyId = keyIdOf(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'))
    t.equal(keyId.length, KEY_ID_BYTES)
    t.equal(Buffer.from(keyId).toString('hex'), want, file)
  }
  t.end()
})

t.test('the key of the public Rekor log', (t) => {
  const { publicKey, keyId } = JSON.parse(
    readFileSync('test/vectors/note/rekor-checkpoints.json', 'utf8')
  ) as { publicKey: string; keyId: string }
  t.equal(Buffer.from(keyIdOf(Buffer.from(publicKey, 'base64'))).toString('hex'), keyId)
  t.end()
})
