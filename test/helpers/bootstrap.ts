import { buildBootstrap, type BootstrapOptions } from '../../src/trust/bootstrap.js'
import type { BootstrapContent, ClientGuide } from '../../src/trust/bootstrap-contract.js'
import type { TrustState } from '../../src/trust/contract.js'
import { buildDownloads } from '../../src/trust/downloads.js'
import { createTrustState } from './trust-state.js'

export const PUBLIC_URL = 'https://sigstead.example.test'
export const ISSUER = 'https://login.example.test'
export const ROOT = Buffer.from('{"signatures":[],"signed":{"version":1,"note":"it\'s $(root)"}}\n')
/** Everything that means something to a shell, HTML or YAML, in one path of a URL. */
export const HOSTILE = `/it's "$(touch pwned)" \`touch pwned\`;&|<b>#: {a}`

export const FULL = await createTrustState()
export const NO_CT: TrustState = { ...FULL, ctLogs: [] }
export const NO_TSA: TrustState = {
  ...FULL,
  timestampAuthorities: [],
  services: { ...FULL.services, tsa: [] }
}
export const NO_CA: TrustState = {
  ...NO_CT,
  certificateAuthorities: [],
  services: { ...FULL.services, fulcio: [] }
}
export const BARE: TrustState = {
  ...NO_CA,
  ...NO_TSA,
  ctLogs: [],
  certificateAuthorities: [],
  services: { rekor: [], fulcio: [], tsa: [], oidc: [] }
}

export function build(
  state: TrustState = FULL,
  changes: Partial<BootstrapOptions> = {}
): BootstrapContent {
  return buildBootstrap({
    publicUrl: PUBLIC_URL,
    issuers: [ISSUER],
    state,
    files: buildDownloads(state),
    rootJson: ROOT,
    expiries: [
      { role: 'root', version: 1, expiresSeconds: 1_900_000_000 },
      { role: 'timestamp', version: 5, expiresSeconds: 1_800_000_000 }
    ],
    tufFiles: [
      { path: 'root.json', bytes: ROOT },
      { path: '1.root.json', bytes: ROOT },
      { path: `targets/${'ab'.repeat(32)}.rekor.pub`, bytes: Buffer.from('key') }
    ],
    ...changes
  })
}

/** The same server with everything awkward that a setting could hold. */
export function hostile(state: TrustState = FULL): BootstrapContent {
  const odd = (list: TrustState['services']['rekor']) =>
    list.map((service) => ({ ...service, url: `${service.url}${HOSTILE}` }))
  const { rekor, fulcio, tsa, oidc } = state.services
  const services = { rekor: odd(rekor), fulcio: odd(fulcio), tsa: odd(tsa), oidc: odd(oidc) }
  return build(
    { ...state, operator: '-Ö_<b>: "x"\n--- ', services },
    {
      publicUrl: `${PUBLIC_URL}${HOSTILE}`,
      issuers: [`${ISSUER}${HOSTILE}`],
      files: buildDownloads(state)
    }
  )
}

export const STATES = { FULL, NO_CT, NO_TSA, NO_CA, BARE }

export function fileOf(content: BootstrapContent, name: string): Buffer {
  const file = content.files.find((candidate) => candidate.name === name)
  if (file === undefined) throw new Error(`no ${name}`)
  return Buffer.from(file.bytes)
}

export function guideOf(content: BootstrapContent, id: string): ClientGuide {
  const guide = content.clients.find((candidate) => candidate.id === id)
  if (guide === undefined) throw new Error(`no ${id}`)
  return guide
}
