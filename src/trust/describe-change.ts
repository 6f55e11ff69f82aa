import { encodeHex } from '../encoding/hex.js'
import { hashData } from '../keys/verify.js'
import type { ServiceUrl, TrustedAuthority, TrustedLog, TrustState, Validity } from './contract.js'

/** One thing that clients will be told otherwise. */
export interface TrustChange {
  readonly kind: 'rekor' | 'ct' | 'ca' | 'tsa' | 'service'
  readonly change: 'added' | 'ended' | 'changed' | 'removed'
  /** Hex SHA-256 of the key of a log, or of the first certificate of an authority; URL of a service. */
  readonly id: string
  readonly url: string
  readonly startSeconds: number
  readonly endSeconds?: number
}

type Item = Omit<TrustChange, 'change'>

/** One item, and what tells it from others: several services may have one address. */
type KeyedItem = readonly [key: string, item: Item]

/** What differs between two states, as a list for people. */
export function describeTrustChange(before: TrustState, after: TrustState): readonly TrustChange[] {
  const old = new Map(itemsOf(before))
  const now = new Map(itemsOf(after))
  const changes: TrustChange[] = []
  for (const [key, item] of now) {
    const earlier = old.get(key)
    if (earlier === undefined) changes.push({ ...item, change: 'added' })
    else if (earlier.endSeconds === undefined && item.endSeconds !== undefined) {
      changes.push({ ...item, change: 'ended' })
    } else if (JSON.stringify(earlier) !== JSON.stringify(item)) {
      changes.push({ ...item, change: 'changed' })
    }
  }
  for (const [key, item] of old) {
    if (!now.has(key)) changes.push({ ...item, change: 'removed' })
  }
  return changes
}

function itemsOf(state: TrustState): readonly KeyedItem[] {
  const keys = [
    ...state.rekorLogs.map((log) => logItem('rekor', log)),
    ...state.ctLogs.map((log) => logItem('ct', log)),
    ...state.certificateAuthorities.map((authority) => authorityItem('ca', authority)),
    ...state.timestampAuthorities.map((authority) => authorityItem('tsa', authority))
  ]
  return [
    ...keys.map((item): KeyedItem => [`${item.kind} ${item.id}`, item]),
    ...Object.entries(state.services).flatMap(([name, urls]) =>
      urls.map((service): KeyedItem => [`${name} at ${service.url}`, serviceItem(service)])
    )
  ]
}

function serviceItem({ url, validity }: ServiceUrl): Item {
  return { kind: 'service', id: url, url, ...times(validity) }
}

function logItem(kind: 'rekor' | 'ct', { publicKey, baseUrl, validity }: TrustedLog): Item {
  return { kind, id: encodeHex(hashData('sha256', publicKey)), url: baseUrl, ...times(validity) }
}

function authorityItem(kind: 'ca' | 'tsa', { chain, url, validity }: TrustedAuthority): Item {
  return { kind, id: encodeHex(hashData('sha256', chain[0])), url, ...times(validity) }
}

function times({ startSeconds, endSeconds }: Validity): Validity {
  return { startSeconds, ...(endSeconds === undefined ? {} : { endSeconds }) }
}
