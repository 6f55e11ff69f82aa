import { isIPv6 } from 'node:net'
import { LogError } from '../errors.js'
import type { NtpServer } from './sntp-client.js'

const NTP_PORT = 123

/**
 * Reads `name`, `name:port`, an address of either kind, or `[address]:port`.
 * @throws LogError `invalid_request` that quotes the text
 */
export function parseNtpServer(text: string): NtpServer {
  if (isIPv6(text)) return { host: text, port: NTP_PORT }
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(text)
  const [, address, name, digits] = match ?? []
  const host = address ?? name
  const port = digits === undefined ? NTP_PORT : Number(digits)
  const isFit = host !== undefined && (address === undefined || isIPv6(address))
  if (!isFit || port < 1 || port > 65_535) {
    throw new LogError(
      'invalid_request',
      `${JSON.stringify(text)} is no time server: name or name:port`
    )
  }
  return { host, port }
}
