import { LogError } from '../errors.js'
import type { ServiceUrl, TrustState } from './contract.js'
import { encodeJsonFile, encodeValidity } from './json-file.js'

export const SIGNING_CONFIG_MEDIA_TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json'

/** The only one sigstore-js knows. */
export const SELECTOR = 'ANY'

/**
 * `signing_config.v0.2.json`: where clients are sent to, newest first. The same state gives the same bytes.
 *
 * Of services with the same API version only one may be without an end: of several sigstore-python takes the last one listed,
 * which is the oldest. Both `…Config` members are there even where there is no such service: cosign 3 panics without the first.
 *
 * @throws LogError `internal` for a state in which clients would not agree where to go
 * @see rekor-v2-and-tiles §4.2
 */
export function buildSigningConfig(state: TrustState): Uint8Array {
  return encodeJsonFile(signingConfigJson(state))
}

/** The same before it is written, to stand in a larger file. */
export function signingConfigJson({ services, operator }: TrustState): object {
  assertVersionsInOrder(services.rekor)
  const list = (name: string, urls: readonly ServiceUrl[]): readonly object[] => {
    assertOneOpen(name, urls)
    return newestFirst(urls).map((service) => serviceJson(service, operator))
  }
  return {
    mediaType: SIGNING_CONFIG_MEDIA_TYPE,
    caUrls: list('certificate authority', services.fulcio),
    oidcUrls: list('issuer', services.oidc),
    rekorTlogUrls: list('log', services.rekor),
    rekorTlogConfig: { selector: SELECTOR },
    tsaUrls: list('timestamp authority', services.tsa),
    tsaConfig: { selector: SELECTOR }
  }
}

function serviceJson({ url, majorApiVersion, validity }: ServiceUrl, operator: string): object {
  return { url, majorApiVersion, validFor: encodeValidity(validity), operator }
}

/** By start; of two that started together the later one in the state. */
function newestFirst(urls: readonly ServiceUrl[]): readonly ServiceUrl[] {
  return urls.toReversed().sort((a, b) => b.validity.startSeconds - a.validity.startSeconds)
}

function isOpen({ validity }: ServiceUrl): boolean {
  return validity.endSeconds === undefined
}

/** Issuers are let off: people may log in at several. */
function assertOneOpen(name: string, urls: readonly ServiceUrl[]): void {
  if (name === 'issuer') return
  const versions = urls.filter(isOpen).map(({ majorApiVersion }) => majorApiVersion)
  if (new Set(versions).size < versions.length) {
    throw new LogError('internal', `trust: two addresses of one ${name}, neither with an end`)
  }
}

/** sigstore-js takes the newest start, the others the highest version: both must be the same. */
function assertVersionsInOrder(urls: readonly ServiceUrl[]): void {
  const open = urls.filter(isOpen)
  const isOutOfOrder = open.some((a) =>
    open.some(
      (b) =>
        a.majorApiVersion > b.majorApiVersion && a.validity.startSeconds <= b.validity.startSeconds
    )
  )
  if (isOutOfOrder) {
    throw new LogError('internal', 'trust: a log of a higher API version must start later')
  }
}
