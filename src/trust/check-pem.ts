import { equalBytes } from '../encoding/bytes.js'
import { decodePem, type PemBlock } from '../encoding/pem.js'
import { isLogError } from '../errors.js'
import { parsePublicKey } from '../keys/public-key.js'
import { parseCertificate } from '../x509/certificate.js'
import { checkChain, type CheckedChain } from './check-chain.js'
import type { TrustedAuthority, TrustedLog, TrustState } from './contract.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { error, ok, quoted, type TrustFinding, warning } from './finding.js'

/** Larger than any file of keys and chains. */
const MAX_PEM_BYTES = 1 << 20
const MAX_BLOCKS = 100

interface Numbered {
  readonly where: string
  readonly bytes: Uint8Array
}

/** A PEM file beside our keys and chains. Whatever is in a private key is not repeated. */
export function checkPem(
  bytes: Uint8Array,
  { state, nowSeconds }: { readonly state: TrustState; readonly nowSeconds: number }
): readonly TrustFinding[] {
  if (bytes.length > MAX_PEM_BYTES) {
    return [error('file', 'is too large for keys and certificates in PEM: take one of this server')]
  }
  const text = new TextDecoder('latin1').decode(bytes)
  if (/PRIVATE KEY-----/.test(text)) {
    return [
      error(
        'file',
        'has a private key in it, which nobody but its owner may have: delete this copy, give people the public key or ' +
          'certificate instead, and make a new key if others could read the file'
      )
    ]
  }
  const blocks = readBlocks(bytes)
  const markers = text.match(/^-----BEGIN /gm)?.length ?? 0
  const findings: TrustFinding[] = []
  if (blocks.length >= MAX_BLOCKS) {
    findings.push(
      error('file', `has ${MAX_BLOCKS} PEM blocks or more, the others were not looked at`)
    )
  } else if (markers > blocks.length) {
    const problem = `has ${markers - blocks.length} damaged PEM blocks, which clients skip or refuse: download it again`
    findings.push(error('file', problem))
  }
  const numbered = blocks.map((block, i) => ({ ...block, where: `PEM block ${i + 1}` }))
  const keys = numbered.filter(({ type }) => type === 'PUBLIC KEY')
  const certificates = numbered.filter(({ type }) => type === 'CERTIFICATE')
  for (const { type, where } of numbered) {
    if (type !== 'PUBLIC KEY' && type !== 'CERTIFICATE') {
      const problem = `is ${quoted(type)}: clients take PUBLIC KEY and CERTIFICATE, take one of the files of this server`
      findings.push(error(where, problem))
    }
  }
  if (keys.length > 1) {
    const problem =
      'has several public keys, of which cosign reads the first only: make a file of each'
    findings.push(warning('file', problem))
  }
  return [
    ...findings,
    ...keys.map((key) => checkKey(key, state)),
    ...checkCertificates(certificates, state, nowSeconds)
  ]
}

function readBlocks(bytes: Uint8Array): readonly PemBlock[] {
  const blocks: PemBlock[] = []
  let found = decodePem(bytes)
  while (found !== undefined && blocks.length < MAX_BLOCKS) {
    blocks.push(found.block)
    found = decodePem(found.rest)
  }
  return blocks
}

function checkKey({ where, bytes }: Numbered, state: TrustState): TrustFinding {
  if (!canRead(() => parsePublicKey(bytes))) {
    return error(where, 'is no public key that clients can use: take it from this server again')
  }
  for (const [logs, name, file] of [
    [state.rekorLogs, 'log', 'rekor.pub'],
    [state.ctLogs, 'certificate log', 'ctfe.pub']
  ] as const) {
    const log = findLog(logs, bytes)
    if (log === logs.at(-1) && log !== undefined)
      return ok(where, `is the key of the ${name} in use`)
    if (log !== undefined) {
      const { endSeconds } = log.validity
      const until = endSeconds === undefined ? '' : ` until ${formatUtcTime(endSeconds)}`
      const problem = `is the key that the ${name} had${until}: take ${file} for what is signed now`
      return warning(where, problem)
    }
  }
  return error(where, 'is the key of no log of this server: take rekor.pub or ctfe.pub')
}

/** Of several trees with one key the newest. */
function findLog(logs: readonly TrustedLog[], publicKey: Uint8Array): TrustedLog | undefined {
  return logs.findLast((log) => equalBytes(log.publicKey, publicKey))
}

const KINDS = [
  {
    authorities: 'certificateAuthorities',
    name: 'certificate authority',
    file: 'fulcio-chain.pem',
    minimum: 1
  },
  {
    authorities: 'timestampAuthorities',
    name: 'timestamp authority',
    file: 'tsa-chain.pem',
    minimum: 2
  }
] as const

function checkCertificates(
  certificates: readonly Numbered[],
  state: TrustState,
  nowSeconds: number
): readonly TrustFinding[] {
  if (certificates.length === 0) return []
  const unreadable = certificates.find(({ bytes }) => !canRead(() => parseCertificate(bytes)))
  if (unreadable !== undefined) {
    return [error(unreadable.where, 'is no certificate that can be read: download the file again')]
  }
  const checked = splitChains(certificates, state).map((chain) => ({
    chain,
    ...checkOne(chain, state, nowSeconds)
  }))
  const findings: TrustFinding[] = []
  for (const { chain, kind, authority, result } of checked) {
    const where = whereOf(chain)
    if (kind === undefined) {
      const problem = 'is of no authority of this server: take fulcio-chain.pem or tsa-chain.pem'
      findings.push(error(where, problem))
      continue
    }
    findings.push(...result.findings)
    const active = state[kind.authorities].at(-1)
    const hasActive = checked.some((other) => other.authority === active)
    if (authority !== active && !hasActive) {
      const problem = `is a chain that the ${kind.name} had before: take ${kind.file} for what is signed now`
      findings.push(warning(where, problem))
    } else if (result.findings.length === 0) {
      const when = authority === active ? 'in use' : 'of an earlier time'
      findings.push(ok(where, `is the chain of the ${kind.name} ${when}`))
    }
  }
  const timestampChains = checked.filter(({ kind }) => kind === KINDS[1])
  if (timestampChains.length > 1) {
    const problem =
      'has several chains of timestamp authorities: gitsign takes them, cosign takes one, such as tsa-chain.pem'
    findings.push(warning('file', problem))
  }
  return findings
}

function checkOne(
  chain: readonly Numbered[],
  state: TrustState,
  nowSeconds: number
): {
  readonly kind: (typeof KINDS)[number] | undefined
  readonly authority: TrustedAuthority | undefined
  readonly result: CheckedChain
} {
  const ders = chain.map(({ bytes }) => bytes)
  for (const kind of KINDS) {
    const ours = state[kind.authorities]
    const options = {
      where: whereOf(chain),
      whereOf: (i: number) => chain[i]?.where ?? 'file',
      name: kind.name,
      file: kind.file,
      incomplete: 'warning' as const,
      minimum: kind.minimum
    }
    const { authority } = checkChain(ders, ours, { ...options, nowSeconds: undefined })
    if (authority !== undefined) {
      const isActive = authority === ours.at(-1)
      const times = isActive ? nowSeconds : undefined
      return { kind, authority, result: checkChain(ders, ours, { ...options, nowSeconds: times }) }
    }
  }
  return {
    kind: undefined,
    authority: undefined,
    result: { authority: undefined, findings: [] }
  }
}

/** All of it where that is one of our chains in whatever order; else every chain goes on to its root. */
function splitChains(
  certificates: readonly Numbered[],
  state: TrustState
): readonly (readonly Numbered[])[] {
  const isOurs = KINDS.some(({ authorities }) =>
    state[authorities].some(
      ({ chain }) =>
        chain.length === certificates.length &&
        chain.every((der) => certificates.some(({ bytes }) => equalBytes(bytes, der)))
    )
  )
  if (isOurs) return [certificates]
  const chains: Numbered[][] = [[]]
  for (const certificate of certificates) {
    const current = chains.at(-1) ?? []
    current.push(certificate)
    const { issuer, subject } = parseCertificate(certificate.bytes)
    if (equalBytes(issuer, subject)) chains.push([])
  }
  return chains.filter(({ length }) => length > 0)
}

function whereOf(chain: readonly Numbered[]): string {
  const [first, last] = [chain[0]?.where ?? 'file', chain.at(-1)?.where ?? 'file']
  return first === last ? first : `${first} to ${last.replace('PEM block ', '')}`
}

function canRead(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (err) {
    if (isLogError(err)) return false
    throw err
  }
}
