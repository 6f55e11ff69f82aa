import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { gzipSync } from 'node:zlib'
import type { Test } from 'tap'
import { runProgram } from './clients.js'
import { digestOf, fixture } from './material.js'
import type { PkiFormat } from './material.js'
import type { Session } from './session.js'

/** A package or message that carries its own signature, the way rekor-cli is told about it. */
export interface Package {
  readonly name: string
  /** Value of --type. */
  readonly type: 'alpine' | 'cose' | 'helm' | 'jar' | 'rfc3161'
  /** How the client names the body of such an entry. */
  readonly bodyMember: string
  /** File. */
  readonly artifact: string
  /** Absent where the package carries the certificate. */
  readonly key?: { readonly format: PkiFormat; readonly file: string; readonly otherFile: string }
  /** Additional data that is signed too, in base64. */
  readonly aad?: string
  /** Leaf hash a real Rekor gives to this entry, where one was recorded. */
  readonly leafHash?: string
  /** What `search --sha` finds it by, beside what `--artifact` does. */
  readonly digests: readonly string[]
  /** Whether the index has the digest of the file itself. */
  readonly isFoundByFile: boolean
  /** Whether `search --public-key` finds it. */
  readonly isFoundByKey: boolean
  readonly email?: string
  /** What the log keeps beside the entry: the file. */
  readonly isKept?: true
}

export function packageFlags({ type, artifact, key, aad }: Package): string[] {
  return [
    ...['--type', type, '--artifact', artifact],
    ...(key === undefined ? [] : ['--pki-format', key.format, '--public-key', key.file]),
    ...(aad === undefined ? [] : ['--aad', aad])
  ]
}

const X509_KEYS = {
  alpine: fixture('alpine/test_alpine.pub'),
  cose: fixture('cose/test_cose.pub')
}

/** One of each kind that Debian's rekor-cli knows; it has neither rpm nor tuf. */
export const PACKAGES: readonly Package[] = [
  {
    name: 'jar',
    type: 'jar',
    bodyMember: 'JARModel',
    artifact: fixture('jar/test.jar'),
    leafHash: '359a34acaa15079f57b57d1cb8f5aaa748332984f39643f27c820c382c56fa7c',
    digests: [],
    isFoundByFile: true,
    isFoundByKey: false
  },
  {
    name: 'alpine',
    type: 'alpine',
    bodyMember: 'AlpineModel',
    artifact: fixture('alpine/test_alpine.apk'),
    key: { format: 'x509', file: X509_KEYS.alpine, otherFile: X509_KEYS.cose },
    leafHash: '052310852427858b79944fefb0ea8f510684cbbdf491136352f69c1203ca905e',
    digests: [],
    isFoundByFile: true,
    isFoundByKey: true
  },
  {
    name: 'helm',
    type: 'helm',
    bodyMember: 'HelmObj',
    artifact: fixture('helm/test-0.1.0.tgz.prov'),
    key: {
      format: 'pgp',
      file: fixture('helm/test_helm_armor.pub'),
      otherFile: fixture('rekord/test_public_key.key')
    },
    leafHash: '000a75d990e3832812609d61de8f41e9995fb59424e4449ecd4d2a7176455d2c',
    digests: [digestOf(fixture('helm/test-0.1.0.tgz'), 'sha256')],
    isFoundByFile: false,
    isFoundByKey: true,
    email: 'not@real.com'
  },
  {
    name: 'rfc3161',
    type: 'rfc3161',
    bodyMember: 'Rfc3161Obj',
    artifact: fixture('rfc3161/test.tsr'),
    leafHash: 'b3cb03d92c3c0daac02f68b0593d8fbdaca0df5c06753164a8ffb9af76d52a45',
    digests: [],
    isFoundByFile: true,
    isFoundByKey: false
  },
  {
    name: 'cose',
    type: 'cose',
    bodyMember: 'CoseObj',
    artifact: fixture('cose/test_cose.cbor'),
    key: { format: 'x509', file: X509_KEYS.cose, otherFile: X509_KEYS.alpine },
    aad: Buffer.from('test aad').toString('base64'),
    leafHash: 'c69cdca451a48e223022cab7f409b8110a528d5ec02ec8dd7b001fbe26f467f2',
    // Of the payload, `hello world`.
    digests: ['b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9'],
    isFoundByFile: true,
    isFoundByKey: true,
    isKept: true
  }
]

/** Made just now: a timestamp of this very server, a chart signed with gpg, an Alpine package signed with openssl. */
export async function makeFreshPackages(t: Test, session: Session): Promise<readonly Package[]> {
  const gpgHome = mkdtempSync(`${tmpdir()}/gpg-`) // short, because gpg's agent puts sockets into it
  const env = { HOME: session.dir, GNUPGHOME: gpgHome }
  t.teardown(async () => {
    await runProgram('gpgconf', ['--kill', 'all'], { cwd: gpgHome, env })
    rmSync(gpgHome, { recursive: true, force: true })
  })
  const run = async (program: string, ...args: string[]) => {
    const outcome = await runProgram(program, args, { cwd: session.dir, env })
    if (outcome.status !== 0) throw new Error(`${outcome.command}: ${outcome.stderr}`)
  }
  return [
    await stampedFile(session, run),
    await signedChart(session, run),
    await signedPackage(session, run)
  ]
}

type Run = (program: string, ...args: string[]) => Promise<void>

async function stampedFile(session: Session, run: Run): Promise<Package> {
  const file = session.write('stamped.txt', 'something to be stamped\n')
  const query = `${session.dir}/stamped.tsq`
  await run('openssl', 'ts', '-query', '-data', file, '-sha256', '-cert', '-out', query)
  const answer = await fetch(`${session.server.url}/api/v1/timestamp`, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query' },
    body: readFileSync(query)
  })
  if (!answer.ok) throw new Error(`the timestamp authority answered ${answer.status}`)
  return {
    name: 'rfc3161, a timestamp of this server',
    type: 'rfc3161',
    bodyMember: 'Rfc3161Obj',
    artifact: session.write('stamped.tsr', new Uint8Array(await answer.arrayBuffer())),
    digests: [],
    isFoundByFile: true,
    isFoundByKey: false
  }
}

/** As `helm package --sign` writes it. */
async function signedChart(session: Session, run: Run): Promise<Package> {
  const email = 'charts@client-suite.example'
  const gpg = (...args: string[]) => run('gpg', '--batch', '--quiet', '--passphrase', '', ...args)
  await gpg(
    '--pinentry-mode',
    'loopback',
    '--quick-generate-key',
    `Charts <${email}>`,
    'rsa3072',
    'sign',
    '2d'
  )
  const keyFile = `${session.dir}/charts.asc`
  await gpg('--armor', '--output', keyFile, '--export', email)
  const digest = createHash('sha256').update('a chart').digest('hex')
  const text = `apiVersion: v2\nname: fresh\nversion: 1.0.0\n\n...\nfiles:\n  fresh-1.0.0.tgz: sha256:${digest}\n`
  const artifact = `${session.dir}/fresh-1.0.0.tgz.prov`
  await gpg('--output', artifact, '--clearsign', session.write('fresh.txt', text))
  return {
    name: 'helm, signed with gpg',
    type: 'helm',
    bodyMember: 'HelmObj',
    artifact,
    key: { format: 'pgp', file: keyFile, otherFile: fixture('rekord/test_public_key.key') },
    digests: [digest],
    isFoundByFile: false,
    isFoundByKey: true,
    email
  }
}

/** As `abuild-sign` does it: three gzip members, the first two without the end of a tar archive. */
async function signedPackage(session: Session, run: Run): Promise<Package> {
  const { dir } = session
  const key = `${dir}/abuild.rsa`
  await run(
    'openssl',
    'genpkey',
    '-algorithm',
    'RSA',
    '-pkeyopt',
    'rsa_keygen_bits:4096',
    '-out',
    key
  )
  await run('openssl', 'pkey', '-in', key, '-pubout', '-out', `${key}.pub`)
  /** @returns a gzip member of one file, named as it is in the archive */
  const pack = async (name: string, isLast: boolean): Promise<Buffer> => {
    const archive = `${dir}/one.tar`
    await run('tar', '--format=ustar', '--blocking-factor=1', '-cf', archive, '-C', dir, name)
    const tar = readFileSync(archive)
    return gzipSync(isLast ? tar : tar.subarray(0, tar.length - 1024))
  }
  session.write('hello', 'content of a package\n')
  const data = await pack('hello', true)
  const datahash = createHash('sha256').update(data).digest('hex')
  session.write(
    '.PKGINFO',
    `# Generated by abuild\npkgname = fresh\npkgver = 1.0-r0\ndepend = a\ndepend = b\ndatahash = ${datahash}\n`
  )
  const control = await pack('.PKGINFO', false)
  const signatureName = '.SIGN.RSA.abuild.rsa.pub'
  const controlFile = session.write('control.tar.gz', control)
  await run(
    'openssl',
    'dgst',
    '-sha1',
    '-sign',
    key,
    '-out',
    `${dir}/${signatureName}`,
    controlFile
  )
  const artifact = Buffer.concat([await pack(signatureName, false), control, data])
  return {
    name: 'alpine, signed with openssl',
    type: 'alpine',
    bodyMember: 'AlpineModel',
    artifact: session.write('fresh-1.0-r0.apk', artifact),
    key: { format: 'x509', file: `${key}.pub`, otherFile: X509_KEYS.alpine },
    digests: [],
    isFoundByFile: true,
    isFoundByKey: true
  }
}
