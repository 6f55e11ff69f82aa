import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Test } from 'tap'
import { runProgram } from './clients.js'
import type { Material } from './material.js'
import type { Session } from './session.js'

/** The e-mail address that every freshly made identity carries. */
export const SIGNER_EMAIL = 'signer@client-suite.example'

/** Signatures made just now by the tools people use: openssl, gpg, minisign, ssh-keygen. */
export async function makeFreshMaterial(t: Test, session: Session): Promise<readonly Material[]> {
  const gpgHome = mkdtempSync(`${tmpdir()}/gpg-`) // short, because gpg's agent puts sockets into it
  t.teardown(async () => {
    await runProgram('gpgconf', ['--kill', 'all'], {
      cwd: gpgHome,
      env: { GNUPGHOME: gpgHome }
    })
    rmSync(gpgHome, { recursive: true, force: true })
  })
  const run = async (program: string, ...args: string[]) => {
    const outcome = await runProgram(program, args, {
      cwd: session.dir,
      env: { HOME: session.dir, GNUPGHOME: gpgHome }
    })
    if (outcome.status !== 0) throw new Error(`${outcome.command}: ${outcome.stderr}`)
  }
  return [
    ...(await opensslMaterial(session, run)),
    ...(await gpgMaterial(session, run)),
    ...(await minisignMaterial(session, run)),
    ...(await sshMaterial(session, run))
  ]
}

type Run = (program: string, ...args: string[]) => Promise<void>

async function opensslMaterial(session: Session, run: Run): Promise<Material[]> {
  const { dir } = session
  const artifact = session.write('openssl.txt', 'signed with openssl\n')
  const material: Material[] = []
  for (const [name, algorithm] of Object.entries({
    p256: ['EC', 'ec_paramgen_curve:P-256'],
    p384: ['EC', 'ec_paramgen_curve:P-384'],
    p521: ['EC', 'ec_paramgen_curve:P-521'],
    rsa3072: ['RSA', 'rsa_keygen_bits:3072']
  } as const)) {
    const key = `${dir}/${name}.openssl.pem`
    const signature = `${dir}/${name}.openssl.sig`
    const [family, option] = algorithm
    await run('openssl', 'genpkey', '-algorithm', family, '-pkeyopt', option, '-out', key)
    await run('openssl', 'pkey', '-in', key, '-pubout', '-out', `${key}.pub`)
    await run('openssl', 'dgst', '-sha256', '-sign', key, '-out', signature, artifact)
    material.push({
      name: `rekord, openssl ${name}`,
      type: 'rekord',
      pkiFormat: 'x509',
      artifact,
      signature,
      keys: [`${key}.pub`]
    })
  }
  const key = `${dir}/p256.openssl.pem`
  const certificate = `${dir}/certificate.pem`
  await run(
    'openssl',
    ...['req', '-x509', '-new', '-key', key, '-subj', '/CN=client suite', '-days', '2'],
    ...['-addext', `subjectAltName=email:${SIGNER_EMAIL}`, '-out', certificate]
  )
  material.push({
    name: 'hashedrekord, certificate with an e-mail address',
    type: 'hashedrekord',
    pkiFormat: 'x509',
    artifact,
    signature: `${dir}/p256.openssl.sig`,
    keys: [certificate]
  })
  return material
}

async function gpgMaterial(session: Session, run: Run): Promise<Material[]> {
  const { dir } = session
  const artifact = session.write('gpg.txt', 'signed with gpg\r\nin two lines\n')
  const gpg = (...args: string[]) => run('gpg', '--batch', '--quiet', '--passphrase', '', ...args)
  // rekor-cli up to 1.5.3 knows none of gpg's elliptic curve keys.
  const user = `client suite <gpg-${SIGNER_EMAIL}>`
  await gpg('--pinentry-mode', 'loopback', '--quick-generate-key', user, 'rsa2048', 'sign', '2d')
  const key = `${dir}/gpg.asc`
  await gpg('--armor', '--output', key, '--export', user)
  const material: Material[] = []
  for (const [form, flags] of Object.entries({ armoured: ['--armor'], binary: [] })) {
    const signature = `${dir}/gpg.${form}`
    await gpg(...flags, '--output', signature, '--detach-sign', artifact)
    material.push({
      name: `rekord, gpg, ${form} signature`,
      type: 'rekord',
      pkiFormat: 'pgp',
      artifact,
      signature,
      keys: [key]
    })
  }
  return material
}

async function minisignMaterial(session: Session, run: Run): Promise<Material[]> {
  const { dir } = session
  const artifact = session.write('minisign.txt', 'signed with minisign\n')
  const key = `${dir}/minisign.pub`
  await run('minisign', '-G', '-W', '-p', key, '-s', `${dir}/minisign.key`)
  const material: Material[] = []
  for (const [form, flags] of Object.entries({ prehashed: [], legacy: ['-l'] })) {
    const signature = `${dir}/minisign.${form}`
    await run(
      'minisign',
      ...['-S', ...flags, '-s', `${dir}/minisign.key`, '-m', artifact, '-x', signature]
    )
    material.push({
      name: `rekord, minisign just made, ${form}`,
      type: 'rekord',
      pkiFormat: 'minisign',
      artifact,
      signature,
      keys: [key]
    })
  }
  return material
}

async function sshMaterial(session: Session, run: Run): Promise<Material[]> {
  const { dir } = session
  const material: Material[] = []
  for (const type of ['ed25519', 'ecdsa', 'rsa']) {
    const artifact = session.write(`ssh-${type}.txt`, `signed with ssh-keygen ${type}\n`)
    const key = `${dir}/ssh-${type}`
    await run(
      'ssh-keygen',
      '-q',
      '-t',
      type,
      '-N',
      '',
      '-C',
      `${type}-ssh-${SIGNER_EMAIL}`,
      '-f',
      key
    )
    await run('ssh-keygen', '-q', '-Y', 'sign', '-n', 'file', '-f', key, artifact)
    material.push({
      name: `rekord, ssh ${type}`,
      type: 'rekord',
      pkiFormat: 'ssh',
      artifact,
      signature: `${artifact}.sig`,
      keys: [`${key}.pub`]
    })
  }
  return material
}
