import { createPrivateKey, createPublicKey, generateKeyPairSync, scryptSync } from 'node:crypto'
import { inspect } from 'node:util'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import t from 'tap'
import { encodePem } from '../../src/encoding/pem.js'
import { readPrivateKeyFile } from '../../src/keys/private-key-file.js'
import { fulcioVector } from '../helpers/fulcio-vectors.js'
import { refusal, refusalText } from '../helpers/refusals.js'

interface FileCaCase {
  readonly name: string
  readonly password: string
  readonly privateKeyPem: string
  readonly decryptedPkcs8Pem?: string
}

const { cases } = fulcioVector<{ readonly cases: readonly FileCaCase[] }>('file-ca.json')

t.test('key files of Fulcio', async (t) => {
  let read = 0
  for (const { name, password, privateKeyPem, decryptedPkcs8Pem } of cases) {
    if (decryptedPkcs8Pem === undefined) continue
    const key = await readPrivateKeyFile(privateKeyPem, password)
    t.ok(key.equals(createPrivateKey(decryptedPkcs8Pem)), name)
    if (privateKeyPem.includes('ENCRYPTED')) {
      t.match(await refusalText(() => readPrivateKeyFile(privateKeyPem)), /no passphrase is given/)
      t.match(
        await refusalText(() => readPrivateKeyFile(privateKeyPem, 'battery')),
        /: the private key cannot be decrypted: wrong passphrase or damaged file$/,
        name
      )
    }
    read++
  }
  t.ok(read >= 3, `${read} keys`)
})

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

t.test('every plain form, with text around it', async (t) => {
  for (const pem of [
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  ]) {
    t.ok((await readPrivateKeyFile(pem)).equals(privateKey))
    t.ok((await readPrivateKeyFile(`key of ours\n${pem}`, 'not needed')).equals(privateKey))
  }
  const pkcs1 = rsa.export({ type: 'pkcs1', format: 'pem' }).toString()
  t.ok((await readPrivateKeyFile(pkcs1)).equals(rsa))
})

/** As cosign writes it. */
function sigstorePem(change: (envelope: Record<string, never>) => void = () => undefined): string {
  const salt = Buffer.alloc(32, 1)
  const nonce = Buffer.alloc(24, 2)
  const params = { N: 1024, r: 8, p: 1 }
  const key = Uint8Array.from(scryptSync('correct horse', salt, 32, params))
  const der = Uint8Array.from(privateKey.export({ type: 'pkcs8', format: 'der' }))
  const envelope = {
    kdf: { name: 'scrypt', params, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(xsalsa20poly1305(key, Uint8Array.from(nonce)).encrypt(der)).toString(
      'base64'
    )
  }
  change(envelope as unknown as Record<string, never>)
  return encodePem('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from(JSON.stringify(envelope)))
}

t.test('the form of cosign', async (t) => {
  t.ok((await readPrivateKeyFile(sigstorePem(), 'correct horse')).equals(privateKey))
  const older = sigstorePem().replaceAll('SIGSTORE', 'COSIGN')
  t.ok((await readPrivateKeyFile(older, 'correct horse')).equals(privateKey))
  const set = (path: string, value: unknown) =>
    sigstorePem((envelope) => {
      const names = path.split('.')
      const last = names.pop() ?? ''
      const target = names.reduce<Record<string, unknown>>(
        (node, name) => node[name] as Record<string, unknown>,
        envelope
      )
      target[last] = value
    })
  const damaged = /: the encrypted private key is damaged$/
  const cost = /beyond any in use$/
  const cases: [name: string, pem: string, message: RegExp][] = [
    ['another kdf', set('kdf.name', 'argon2'), /other than scrypt/],
    ['another cipher', set('cipher.name', 'aes'), /other than scrypt/],
    ['no kdf', set('kdf', 1), damaged],
    ['no salt', set('kdf.salt', 1), damaged],
    ['N as text', set('kdf.params.N', '1024'), cost],
    ['N of gigabytes', set('kdf.params.N', 2 ** 30), cost],
    ['r of zero', set('kdf.params.r', 0), cost],
    ['p without end', set('kdf.params.p', 2 ** 20), cost],
    ['N that is no power of two', set('kdf.params.N', 1000), /wrong passphrase or damaged/],
    ['nonce of another length', set('cipher.nonce', 'AAAA'), /wrong passphrase or damaged/],
    ['other base64', set('ciphertext', '*'), /the encrypted private key/],
    ['list', encodePem('ENCRYPTED COSIGN PRIVATE KEY', Buffer.from('[]')), damaged]
  ]
  for (const [name, pem, message] of cases) {
    t.match(await refusalText(() => readPrivateKeyFile(pem, 'correct horse')), message, name)
  }
})

t.test("PEM's own encryption", async (t) => {
  const encrypt = (cipher: string) =>
    rsa.export({ type: 'pkcs1', format: 'pem', cipher, passphrase: 'correct horse' }).toString()
  for (const cipher of ['aes-128-cbc', 'aes-256-cbc', 'des-ede3-cbc']) {
    const pem = encrypt(cipher)
    t.match(pem, /Proc-Type: 4,ENCRYPTED/)
    t.ok((await readPrivateKeyFile(pem, 'correct horse')).equals(rsa), cipher)
    t.ok((await readPrivateKeyFile(pem.replaceAll('\n', '\r\n'), 'correct horse')).equals(rsa))
    t.match(await refusalText(() => readPrivateKeyFile(pem)), /no passphrase is given$/)
  }
  const broken = encrypt('des-ede3-cbc').replace('DES-EDE3-CBC', 'DES-CBC')
  t.match(
    await refusalText(() => readPrivateKeyFile(broken, 'correct horse')),
    /^unsupported: the private key is encrypted with DES-CBC, which is broken/
  )
})

t.test('the first block counts', async (t) => {
  const pkcs1 = { type: 'pkcs1', format: 'pem' } as const
  const plain = rsa.export(pkcs1).toString()
  const encrypted = rsa
    .export({ ...pkcs1, cipher: 'aes-128-cbc', passphrase: 'correct horse' })
    .toString()
  const other = privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  t.ok((await readPrivateKeyFile(plain + encrypted)).equals(rsa))
  t.ok((await readPrivateKeyFile(encrypted + other, 'correct horse')).equals(rsa))
  t.ok((await readPrivateKeyFile(other + encrypted)).equals(privateKey))
})

t.test('no message and no cause quotes a passphrase', async (t) => {
  const passphrase = 'battery staple'
  const pkcs8 = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc' } as const
  const pkcs1 = { type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc' } as const
  for (const pem of [
    privateKey.export({ ...pkcs8, passphrase: 'correct horse' }).toString(),
    rsa.export({ ...pkcs1, passphrase: 'correct horse' }).toString(),
    sigstorePem()
  ]) {
    const problem = await refusal(() => readPrivateKeyFile(pem, passphrase))
    t.match(problem.message, /wrong passphrase or damaged file/)
    t.notMatch(inspect(problem, { depth: 10 }), /battery|staple/)
  }
})

t.test('what is no private key', async (t) => {
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  const cases: [name: string, pem: string, message: RegExp][] = [
    ['nothing', '', /holds no PEM/],
    ['a public key', publicPem, /holds a PEM block PUBLIC KEY/],
    [
      'rubbish in PEM',
      encodePem('PRIVATE KEY', Buffer.from('x')),
      /: the private key cannot be read$/
    ]
  ]
  for (const [name, pem, message] of cases) {
    t.match(await refusalText(() => readPrivateKeyFile(pem)), message, name)
  }
})
