import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  config,
  createMessage,
  enums,
  generateKey,
  readKey,
  revokeKey,
  sign,
  type PrivateKey,
  type PublicKey
} from 'openpgp'
import t from 'tap'
import { isLogError } from '../../../src/errors.js'
import { pgpFormat } from '../../../src/keys/pgp/format.js'
import { mutate } from '../../helpers/mutations.js'
import { makeKey, signData, simpleRing, utf8 } from '../../helpers/pgp.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { rekorVector } from '../../helpers/vectors.js'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const fixture = (name: string) => rekorVector(`pki/pgp/${name}`)
const DATA = fixture('hello_world.txt')
const SIGNATURES = [
  'hello_world.txt.asc.sig',
  'hello_world.txt.asc.v3.sig',
  'hello_world.txt.sig',
  'hello_world.txt.v3.sig'
]

t.equal(pgpFormat.name, 'pgp')

t.test('fixtures: one canonical form, whatever the encoding', async (t) => {
  for (const [armored, binary, subjects] of [
    ['valid_armored_public.pgp', 'valid_binary_public.pgp', ['not@real.com']],
    [
      'valid_armored_complex_public.pgp',
      'valid_binary_complex_public.pgp',
      ['linux-packages-keymaster@google.com', 'linux-packages-keymaster@google.com']
    ]
  ] as const) {
    const key = await pgpFormat.parseKey(fixture(armored))
    const same = await pgpFormat.parseKey(fixture(binary))
    t.same(key.canonical, same.canonical)
    t.same(key.subjects, subjects)
    t.same(same.subjects, subjects)
    const again = await pgpFormat.parseKey(key.canonical)
    t.same(again.canonical, key.canonical, 'stable')
  }
})

t.test('fixtures: all four signatures verify, as given and in canonical form', async (t) => {
  const simple = await pgpFormat.parseKey(fixture('valid_armored_public.pgp'))
  const complex = await pgpFormat.parseKey(fixture('valid_armored_complex_public.pgp'))
  for (const name of SIGNATURES) {
    const signature = await pgpFormat.parseSignature(fixture(name))
    await t.resolves(pgpFormat.verify(simple, signature, DATA), name)
    const canonical = await pgpFormat.parseSignature(signature.canonical)
    t.same(canonical.canonical, signature.canonical)
    await t.resolves(pgpFormat.verify(simple, canonical, DATA))
    t.equal(
      await refusalText(() => pgpFormat.verify(complex, signature, DATA)),
      'verification_failed: openpgp: signature made by unknown entity'
    )
    t.match(
      await refusalText(() => pgpFormat.verify(simple, signature, utf8('x'))),
      'verification failure'
    )
    t.ok(
      isLogError(await pgpFormat.parseKey(fixture(name)).catch((err: unknown) => err)),
      'is no key'
    )
  }
})

t.test('fixtures: what is neither', async (t) => {
  for (const name of ['bogus_armored.pgp', 'bogus_binary.pgp', 'hello_world.txt']) {
    t.match(await refusalText(() => pgpFormat.parseKey(fixture(name))), 'PGP public key')
    t.match(await refusalText(() => pgpFormat.parseSignature(fixture(name))), 'PGP signature')
  }
  t.equal(
    await refusalText(() => pgpFormat.parseSignature(fixture('valid_armored_public.pgp'))),
    'invalid_request: invalid PGP signature provided'
  )
})

interface Recorded {
  readonly name: string
  readonly key: number
  readonly signature?: number
  readonly data?: number
  readonly rekor: {
    readonly keyError?: string
    readonly key?: string
    readonly subjects?: readonly string[]
    readonly signatureError?: string
    readonly signature?: string
    readonly verifyError?: string
  }
  readonly differs?: string
}

// See test/vectors/pgp/README.md.
t.test('recorded answers of Rekor', async (t) => {
  const path = new URL('../../vectors/pgp/rekor-answers.json', import.meta.url)
  const recorded = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly blobs: readonly string[]
    readonly cases: readonly Recorded[]
  }
  const blob = (index: number | undefined) =>
    Uint8Array.from(Buffer.from(recorded.blobs[index ?? -1] ?? '', 'base64'))
  let differing = 0
  for (const { name, rekor, differs, ...input } of recorded.cases) {
    const key = await unlessRefused(() => pgpFormat.parseKey(blob(input.key)))
    const ours: Record<string, unknown> = key
      ? { key: sha256(key.canonical), subjects: key.subjects }
      : { keyError: true }
    if (input.signature !== undefined) {
      const signature = await unlessRefused(() => pgpFormat.parseSignature(blob(input.signature)))
      if (signature === undefined) ours['signatureError'] = true
      else ours['signature'] = sha256(signature.canonical)
      if (key !== undefined && signature !== undefined) {
        const verified = await unlessRefused(async () => {
          await pgpFormat.verify(key, signature, blob(input.data))
          return true
        })
        if (verified === undefined) ours['verifyError'] = true
      }
    }
    const expected = Object.fromEntries(
      Object.entries(rekor).map(([member, value]) => [
        member,
        member.endsWith('Error') ? true : value
      ])
    )
    if (differs === undefined) {
      t.strictSame(ours, expected, name)
    } else {
      differing++
      t.notSame(ours, expected, `${name}: ${differs}`)
    }
  }
  t.equal(differing, recorded.cases.filter(({ differs }) => differs !== undefined).length)
})

const SHOULD_SIGN = utf8('fresh\ndata\n')

async function newKey(options: {
  readonly type?: 'rsa' | 'ecc' | 'curve25519'
  readonly curve?: 'nistP256' | 'nistP384' | 'nistP521' | 'ed25519Legacy'
  readonly userIDs?: readonly { readonly name?: string; readonly email?: string }[]
  readonly subkeys?: readonly { readonly sign?: boolean }[]
  readonly keyExpirationTime?: number
  readonly date?: Date
  readonly v6?: boolean
}): Promise<PrivateKey> {
  const {
    v6 = false,
    userIDs = [{ name: 'Fresh', email: 'fresh@example.com' }],
    subkeys,
    ...rest
  } = options
  const { privateKey } = await generateKey({
    ...rest,
    ...(rest.type === 'rsa' ? { rsaBits: 2048 } : {}),
    ...(subkeys === undefined ? {} : { subkeys: [...subkeys] }),
    userIDs: [...userIDs],
    format: 'object',
    config: { ...config, v6Keys: v6 }
  })
  return privateKey
}

async function signedBy(privateKey: PrivateKey, date?: Date): Promise<Uint8Array> {
  const message = await createMessage({ binary: SHOULD_SIGN })
  const signature: unknown = await sign({
    message,
    signingKeys: privateKey,
    detached: true,
    format: 'binary',
    ...(date === undefined ? {} : { date })
  })
  return signature as Uint8Array // what `binary` gives for a message that is no stream
}

async function verifies(key: PublicKey, signature: Uint8Array): Promise<void> {
  const binary = await pgpFormat.parseKey(key.write())
  const armored = await pgpFormat.parseKey(utf8(key.armor()))
  t.same(armored.canonical, binary.canonical)
  const parsed = await pgpFormat.parseSignature(signature)
  await pgpFormat.verify(binary, parsed, SHOULD_SIGN)
  const fromLeaf = await pgpFormat.parseKey(binary.canonical)
  await pgpFormat.verify(fromLeaf, await pgpFormat.parseSignature(parsed.canonical), SHOULD_SIGN)
}

t.test('fresh keys of another implementation', async (t) => {
  const keys: Readonly<Record<string, Parameters<typeof newKey>[0]>> = {
    RSA: { type: 'rsa' },
    'Ed25519, older form': { type: 'ecc', curve: 'ed25519Legacy' },
    Ed25519: { type: 'curve25519' },
    'Ed25519, v6': { type: 'curve25519', v6: true },
    'P-256': { type: 'ecc', curve: 'nistP256' },
    'P-384': { type: 'ecc', curve: 'nistP384' },
    'P-521': { type: 'ecc', curve: 'nistP521' },
    'signing subkey': { type: 'curve25519', subkeys: [{ sign: true }, {}] },
    'signing subkey, v6': { type: 'curve25519', subkeys: [{ sign: true }], v6: true }
  }
  for (const [name, options] of Object.entries(keys)) {
    const privateKey = await newKey(options)
    const key = await pgpFormat.parseKey(privateKey.toPublic().write())
    t.same(key.subjects, ['fresh@example.com'])
    await t.resolves(verifies(privateKey.toPublic(), await signedBy(privateKey)), name)
    // The canonical form is a key to that implementation too, with the same parts.
    const reread = await readKey({ armoredKey: Buffer.from(key.canonical).toString() })
    t.equal(reread.getFingerprint(), privateKey.getFingerprint())
    t.equal(reread.getSubkeys().length, privateKey.getSubkeys().length)
  }
})

t.test('fresh keys: secret export, user IDs, certifications, revocation, expiry', async (t) => {
  const privateKey = await newKey({
    type: 'curve25519',
    userIDs: [
      { name: 'One', email: 'one@example.com' },
      { email: 'two@example.com' },
      { name: 'Nobody' }
    ]
  })
  t.equal(
    await refusalText(() => pgpFormat.parseKey(utf8(privateKey.armor()))),
    'invalid_request: no PGP public keys could be read'
  )
  const certifier = await newKey({ type: 'ecc', curve: 'nistP256' })
  const certified = await privateKey.toPublic().signAllUsers([certifier])
  const parsed = await pgpFormat.parseKey(certified.write())
  t.same(parsed.subjects, ['one@example.com', 'two@example.com'])
  t.same(
    parsed.entities[0]?.identities.map(({ signatures }) => signatures.length),
    [2, 2, 2]
  )
  const signature = await signedBy(privateKey)
  await t.resolves(verifies(certified, signature))

  const day = 24 * 60 * 60 * 1000
  const revoked = await revokeKey({
    key: privateKey,
    format: 'object',
    reasonForRevocation: { flag: enums.reasonForRevocation.keyCompromised }
  })
  t.equal(
    await refusalText(() => verifies(revoked.publicKey, signature)),
    'verification_failed: openpgp: signature made by revoked key'
  )

  const made = new Date(Date.now() - 10 * day)
  const expiring = await newKey({ type: 'curve25519', date: made, keyExpirationTime: 86_400 })
  const inTime = await signedBy(expiring, new Date(made.getTime() + 1000))
  await t.resolves(verifies(expiring.toPublic(), inTime), 'expired since')
})

t.test('mutated fixtures never verify, and nothing but refusals comes out', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const key = fixture('valid_binary_public.pgp')
  const signature = fixture('hello_world.txt.sig')
  const parsedKey = await pgpFormat.parseKey(key)
  const parsedSignature = await pgpFormat.parseSignature(signature)
  const same = (a: Uint8Array, b: Uint8Array) => Buffer.from(a).equals(b)
  const failures: string[] = []
  for (let i = 0; i < 400; i++) {
    const mutatedKey = await unlessRefused(() => pgpFormat.parseKey(mutate(key, random)))
    // A ring that lost a subkey or gained a copy of a packet is a different, good ring; its canonical form is stable.
    if (mutatedKey !== undefined) {
      const again = await pgpFormat.parseKey(mutatedKey.canonical)
      if (!same(again.canonical, mutatedKey.canonical))
        failures.push('canonical form is not stable')
    }
    const bytes = mutate(signature, random)
    const mutatedSignature = await unlessRefused(() => pgpFormat.parseSignature(bytes))
    if (mutatedSignature !== undefined) {
      const accepted = await unlessRefused(async () => {
        await pgpFormat.verify(parsedKey, mutatedSignature, DATA)
        return true
      })
      // The tag of two bytes and the unsigned area may change without harm.
      const { hashedPart, fields } = mutatedSignature.first
      if (
        accepted &&
        !(
          same(hashedPart, parsedSignature.first.hashedPart) &&
          same(fields, parsedSignature.first.fields)
        )
      ) {
        failures.push(`verified: ${Buffer.from(bytes).toString('hex')}`)
      }
    }
    const data = mutate(DATA, random)
    if (same(data, DATA)) continue
    const accepted = await unlessRefused(async () => {
      await pgpFormat.verify(parsedKey, parsedSignature, data)
      return true
    })
    if (accepted) failures.push(`verified other data: ${Buffer.from(data).toString('hex')}`)
  }
  t.same(failures, [])
})

t.test('mutated armor', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const seeds = [
    fixture('valid_armored_public.pgp'),
    fixture('hello_world.txt.asc.sig'),
    simpleRing(makeKey('ed25519')),
    signData(makeKey('ed25519'), DATA)
  ]
  let read = 0
  let refused = 0
  for (let i = 0; i < 1500; i++) {
    const input = mutate(random.pick(seeds), random)
    for (const parse of [pgpFormat.parseKey, pgpFormat.parseSignature]) {
      if (await unlessRefused<unknown>(() => parse(input))) read++
      else refused++
    }
  }
  t.equal(read + refused, 3000)
  t.ok(read > 50, `${read} of 3000 were read`)
})
