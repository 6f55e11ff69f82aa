import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { REPOSITORY } from './clients.js'

/** Something signed, in files, the way rekor-cli is told about it. */
export interface Material {
  readonly name: string
  /** Value of --type. */
  readonly type: 'hashedrekord' | 'rekord' | 'dsse' | 'intoto:0.0.1' | 'intoto:0.0.2'
  readonly pkiFormat: PkiFormat
  /** File; for dsse and intoto the envelope itself. */
  readonly artifact: string
  /** File; absent where the envelope carries the signatures. */
  readonly signature?: string
  /** Files. */
  readonly keys: readonly string[]
  /** What --artifact-hash states of a hashedrekord's artifact. */
  readonly hash?: 'sha256' | 'sha512'
  /** Leaf hash a real Rekor gives to this entry, where one was recorded. */
  readonly leafHash?: string
  /** rekor-cli 1.5 writes the user ids of such a key in random order and then disagrees with itself. */
  readonly unstableKey?: true
}

export type PkiFormat = 'x509' | 'pgp' | 'minisign' | 'ssh'

/** A file of the recorded Rekor fixtures. */
export function fixture(path: string): string {
  return `${REPOSITORY}test/vectors/rekor/${path}`
}

/** Flags that describe the material to rekor-cli upload and verify. */
export function materialFlags(material: Material): string[] {
  const { type, pkiFormat, artifact, signature, keys, hash } = material
  return [
    ...['--type', type, '--pki-format', pkiFormat],
    ...keys.flatMap((key) => ['--public-key', key]),
    // rekor-cli before 1.5.4 does not hash the artifact of a hashedrekord itself.
    ...(type === 'hashedrekord'
      ? ['--artifact-hash', digestOf(artifact, hash ?? 'sha256')]
      : ['--artifact', artifact]),
    ...(signature === undefined ? [] : ['--signature', signature])
  ]
}

/** Lower-case hex digest of a file. */
export function digestOf(path: string, algorithm: 'sha1' | 'sha256' | 'sha512'): string {
  return createHash(algorithm).update(readFileSync(path)).digest('hex')
}

function recorded(name: string): string {
  const vector = JSON.parse(readFileSync(fixture(`computed/${name}.json`), 'utf8')) as {
    leafHash: string
  }
  return vector.leafHash
}

const HASHEDREKORD: readonly Material[] = [
  {
    name: 'hashedrekord, ECDSA P-256',
    type: 'hashedrekord',
    pkiFormat: 'x509',
    artifact: fixture('hashedrekord/file1'),
    signature: fixture('hashedrekord/file1.ec.sig'),
    keys: [fixture('hashedrekord/ec_public.pem')],
    leafHash: recorded('hashedrekord-ecdsa-p256-sha256')
  },
  {
    name: 'hashedrekord, RSA',
    type: 'hashedrekord',
    pkiFormat: 'x509',
    artifact: fixture('hashedrekord/file1'),
    signature: fixture('hashedrekord/file1.rsa.sig'),
    keys: [fixture('hashedrekord/rsa_public.pem')],
    leafHash: recorded('hashedrekord-rsa2048-sha256')
  },
  {
    name: 'hashedrekord, Ed25519ph',
    type: 'hashedrekord',
    pkiFormat: 'x509',
    artifact: fixture('hashedrekord/file1'),
    signature: fixture('hashedrekord/file1.ed25519ph.sig'),
    keys: [fixture('hashedrekord/ed25519_public.pem')],
    hash: 'sha512',
    leafHash: recorded('hashedrekord-ed25519ph-sha512')
  }
]

const REKORD: readonly Material[] = [
  {
    name: 'rekord, PGP',
    type: 'rekord',
    pkiFormat: 'pgp',
    artifact: fixture('rekord/test_file.txt'),
    signature: fixture('rekord/test_file.sig'),
    keys: [fixture('rekord/test_public_key.key')],
    leafHash: recorded('rekord-pgp')
  },
  {
    name: 'rekord, PGP armoured, key of one user id without a name',
    type: 'rekord',
    pkiFormat: 'pgp',
    artifact: fixture('pki/pgp/hello_world.txt'),
    signature: fixture('pki/pgp/hello_world.txt.asc.sig'),
    keys: [fixture('pki/pgp/valid_armored_public.pgp')]
  },
  {
    name: 'rekord, PGP, a Node.js release',
    type: 'rekord',
    pkiFormat: 'pgp',
    artifact: fixture('rekord/node/SHASUMS256.txt'),
    signature: fixture('rekord/node/sig'),
    keys: [fixture('rekord/node/key')],
    unstableKey: true
  },
  {
    name: 'rekord, x509 RSA',
    type: 'rekord',
    pkiFormat: 'x509',
    artifact: fixture('rekord/test_x509_artifact.txt'),
    signature: fixture('rekord/test_x509.sig'),
    keys: [fixture('rekord/test_x509_public_key.pem')],
    leafHash: recorded('rekord-x509')
  },
  {
    name: 'rekord, x509 ECDSA',
    type: 'rekord',
    pkiFormat: 'x509',
    artifact: fixture('pki/x509/hello_world.txt'),
    signature: fixture('pki/x509/hello_world.txt.sig'),
    keys: [fixture('pki/x509/ec.pub')],
    leafHash: recorded('rekord-x509-ec')
  },
  {
    name: 'rekord, minisign',
    type: 'rekord',
    pkiFormat: 'minisign',
    artifact: fixture('pki/minisign/hello_world.txt'),
    signature: fixture('pki/minisign/hello_world.txt.minisig'),
    keys: [fixture('pki/minisign/minisign.pub')],
    leafHash: recorded('rekord-minisign')
  },
  {
    name: 'rekord, minisign prehashed',
    type: 'rekord',
    pkiFormat: 'minisign',
    artifact: fixture('pki/minisign/hello_world.txt'),
    signature: fixture('pki/minisign/hello_world_hashed.txt.minisig'),
    keys: [fixture('pki/minisign/minisign_hashed.pub')],
    leafHash: recorded('rekord-minisign-hashed')
  },
  {
    name: 'rekord, signify',
    type: 'rekord',
    pkiFormat: 'minisign',
    artifact: fixture('pki/minisign/hello_world.txt'),
    signature: fixture('pki/minisign/hello_world.txt.signify'),
    keys: [fixture('pki/minisign/signify.pub')],
    leafHash: recorded('rekord-signify')
  },
  {
    name: 'rekord, ssh',
    type: 'rekord',
    pkiFormat: 'ssh',
    artifact: fixture('pki/ssh/hello_world.txt'),
    signature: fixture('pki/ssh/hello_world.txt.sig'),
    keys: [fixture('pki/ssh/id_rsa.pub')],
    leafHash: recorded('rekord-ssh')
  }
]

const ENVELOPE: Pick<Material, 'pkiFormat' | 'artifact' | 'keys'> = {
  pkiFormat: 'x509',
  artifact: fixture('dsse/intoto_dsse.json'),
  keys: [fixture('dsse/intoto_dsse.pem')]
}
const MULTI_ENVELOPE: Pick<Material, 'pkiFormat' | 'artifact' | 'keys'> = {
  pkiFormat: 'x509',
  artifact: fixture('dsse/intoto_multi_dsse.json'),
  keys: [fixture('dsse/intoto_dsse.pem'), fixture('dsse/intoto_multi_pub2.pem')]
}
const SHA512_ENVELOPE: Pick<Material, 'pkiFormat' | 'artifact' | 'keys'> = {
  pkiFormat: 'x509',
  artifact: fixture('dsse/envelope_sha512_subject.json'),
  keys: [fixture('dsse/envelope_sha512_subject.pub')]
}

const ENVELOPES: readonly Material[] = [
  {
    name: 'intoto 0.0.1',
    type: 'intoto:0.0.1',
    ...ENVELOPE,
    leafHash: recorded('intoto-0.0.1')
  },
  {
    name: 'intoto 0.0.2',
    type: 'intoto:0.0.2',
    ...ENVELOPE,
    leafHash: recorded('intoto-0.0.2-single')
  },
  {
    name: 'intoto 0.0.2, two signatures',
    type: 'intoto:0.0.2',
    ...MULTI_ENVELOPE,
    leafHash: recorded('intoto-0.0.2-multi')
  },
  { name: 'intoto 0.0.2, sha512 subject', type: 'intoto:0.0.2', ...SHA512_ENVELOPE },
  { name: 'dsse', type: 'dsse', ...ENVELOPE },
  {
    name: 'dsse, two signatures',
    type: 'dsse',
    ...MULTI_ENVELOPE,
    leafHash: recorded('dsse-multi')
  },
  { name: 'dsse, sha512 subject', type: 'dsse', ...SHA512_ENVELOPE }
]

/** Recorded material of every kind and key format this server takes. */
export const RECORDED: readonly Material[] = [...HASHEDREKORD, ...REKORD, ...ENVELOPES]

/** A key of the same format that signed none of the recorded material it stands in for. */
export function wrongKeyFor(material: Material): string {
  const candidates: Record<PkiFormat, readonly string[]> = {
    x509: [fixture('pki/x509/ec.pub'), fixture('rekord/test_x509_public_key.pem')],
    pgp: [fixture('rekord/test_public_key.key'), fixture('pki/pgp/valid_armored_public.pgp')],
    minisign: [fixture('pki/minisign/minisign.pub'), fixture('pki/minisign/signify.pub')],
    // No second ssh key was recorded; the suite makes one.
    ssh: []
  }
  const key = candidates[material.pkiFormat].find((path) => !material.keys.includes(path))
  if (key === undefined) throw new Error(`no other ${material.pkiFormat} key`)
  return key
}
