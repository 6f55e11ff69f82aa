import type { Test } from 'tap'
import type { Outcome, Suite } from './clients.js'
import { type BundleFormat, makeKey, otherLogKey, signFlags, verifyFlags } from './cosign.js'
import {
  expecting,
  type KeylessSession,
  keylessTrustedRoot,
  openKeylessSession,
  rootCert,
  strangeKey,
  trustOf,
  type TrustFiles
} from './keyless.js'
import { type Registry, startRegistry } from './registry.js'
import { openSession, type Session } from './session.js'

/** How a generation of cosign writes, and where that ends up. */
export interface Way {
  readonly suite: Suite
  readonly format: BundleFormat
}

/** What one run is told: flags and variables. */
export interface Told {
  readonly flags: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Somebody who signs, and who it could have been instead. */
export interface Signer {
  readonly name: 'key' | 'keyless'
  /** Says who signs, and where certificates and entries come from. */
  signing(way: Way): Promise<Told>
  /** Flags that say who must have signed. */
  readonly expected: readonly string[]
  readonly strangers: readonly {
    readonly name: string
    readonly flags: readonly string[]
    /** Words of the refusal. */
    readonly reason: RegExp
  }[]
}

/** PEM texts of what verifiers trust. */
export interface Trust extends TrustFiles {
  readonly tsaChain: string
}

/** A server with all its parts, a registry, and those who sign. */
export interface OciSession {
  readonly keyless: KeylessSession
  readonly session: Session
  /** Another server with the same parts, that believes the same providers. */
  readonly stranger: Session
  readonly registry: Registry
  /** Full URL of the timestamp authority. */
  readonly tsaUrl: string
  /** With a key, and without. */
  readonly signers: readonly [Signer, Signer]
  /** Everything by which another server could be taken for this one. */
  readonly wrong: Trust
  /** Tells a verifier what to trust: a trusted root for bundles, files for the old format. */
  trusting(way: Way, replaced?: Partial<Trust>): Told
  /** Writes a trusted root. @returns its path */
  trustedRoot(replaced?: Partial<Trust>): string
  /** Runs `cosign COMMAND`. */
  cosign(suite: Suite, command: string, ...told: readonly Told[]): Promise<Outcome>
}

/** Starts all of it. It ends with `t`. */
export async function openOciSession(t: Test): Promise<OciSession> {
  const keyless = await openKeylessSession(t)
  const { session, issuersFile } = keyless
  const tsaUrl = `${session.server.url}/api/v1/timestamp`
  const stranger = await openSession(t, ['--ca-issuers-file', issuersFile])
  const tsaChain = await tsaChainOf(session)
  let files = 0
  const fresh = (name: string, content: string) => session.write(`${++files}-${name}`, content)

  const trustedRoot = (replaced: Partial<Trust> = {}) =>
    fresh('root.json', keylessTrustedRoot({ ...trustOf(keyless), tsaChain, ...replaced }))

  const trustFilesEnv = (replaced: Partial<Trust>) => {
    const trust = { ...keyless.pem, tsaChain, ...replaced }
    const env = keyless.env({
      rekorKey: fresh('rekor.pub', trust.rekorKey),
      ctKey: fresh('ctfe.pub', trust.ctKey),
      chain: fresh('fulcio.pem', trust.chain)
    })
    return { ...env, SIGSTORE_TSA_CERTIFICATE_FILE: fresh('tsa.pem', trust.tsaChain) }
  }

  return {
    keyless,
    session,
    stranger,
    registry: await startRegistry(t),
    tsaUrl,
    signers: [await keySigner(session), keylessSigner(keyless, trustedRoot())],
    wrong: {
      rekorKey: otherLogKey(),
      ctKey: strangeKey(),
      chain: await rootCert(stranger),
      tsaChain: await tsaChainOf(stranger)
    },
    trustedRoot,
    trusting({ suite, format }, replaced = {}) {
      // cosign 2.5 asks for the authority's certificates before it looks into the trusted root; cosign 3 wants no files
      // besides one.
      const env = format === 'new' && suite === 'sid' ? {} : trustFilesEnv(replaced)
      const flags = format === 'new' ? ['--trusted-root', trustedRoot(replaced)] : []
      return { flags: [...verifyFlags(suite, format), ...flags], env }
    },
    cosign(suite, command, ...told) {
      const args = [command, ...told.flatMap(({ flags }) => flags)]
      const env = Object.fromEntries(told.flatMap(({ env = {} }) => Object.entries(env)))
      return session.run(suite, 'cosign', args, env)
    }
  }
}

async function tsaChainOf({ server }: Session): Promise<string> {
  const answer = await fetch(`${server.url}/api/v1/timestamp/certchain`)
  if (answer.status !== 200) throw new Error(`certchain answered ${answer.status}`)
  return answer.text()
}

async function keySigner(session: Session): Promise<Signer> {
  const key = await makeKey(session, 'signer', 'ecdsa')
  const other = await makeKey(session, 'other', 'ecdsa')
  return {
    name: 'key',
    signing: ({ suite, format }) =>
      Promise.resolve({ flags: signFlags(session, suite, format, key) }),
    expected: ['--key', key.publicFile],
    strangers: [
      {
        name: 'other key',
        flags: ['--key', other.publicFile],
        reason: /comparing public key PEMs|transparency log certificate does not match/
      }
    ]
  }
}

/** @param root trusted root by which cosign 3 looks at what it made */
function keylessSigner(keyless: KeylessSession, root: string): Signer {
  const { session, person, user } = keyless
  const reason =
    /none of the expected identities matched what was in the certificate|no matching CertificateIdentity found/
  return {
    name: 'keyless',
    async signing({ suite, format }) {
      const flags = [
        ...signFlags(session, suite, format),
        ...['--fulcio-url', session.server.url, '--oidc-issuer', person.issuer],
        ...['--identity-token', await person.idToken()]
      ]
      return suite === 'trixie'
        ? { flags, env: keyless.env() }
        : { flags: [...flags, '--trusted-root', root] }
    },
    expected: expecting(person),
    strangers: [
      { name: 'other identity', flags: expecting(person, { name: 'joe@example.com' }), reason },
      { name: 'other issuer', flags: expecting(person, { issuer: user.issuer }), reason }
    ]
  }
}
