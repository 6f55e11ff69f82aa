import type { TimestampRequest } from '../x509/timestamp-request.js'
import type { TimestampSigner } from '../x509/timestamp-response.js'

/** The timestamp authority. */
export interface TimestampAuthority {
  /**
   * Answers a request with a signed timestamp of this moment.
   *
   * @returns DER of a TimeStampResp
   * @throws LogError `unsupported` for a policy or an extension, with texts clients know; `overloaded`; `internal` when the
   *   clock cannot be relied on, the certificate is not valid now, or the key cannot be used
   */
  issue(request: TimestampRequest): Promise<Uint8Array>
  /** PEM of the chain that signs now, the signing certificate first, the root last. */
  chainPem(): string
  /** When the first certificate of that chain expires. */
  notAfterSeconds(): number
  /** Ends what it watches. Timestamps that are being signed are still answered. */
  close(): void
}

/** What signs. Asked once for each timestamp, so that a change in between cannot mix two. */
export type ActiveTimestampSigner = () => TimestampSigner

/** What operators may want to know. Told when it begins and when it ends, not with every request. */
export type TimestampEvent =
  | { readonly type: 'clock_stepped_back'; readonly seconds: number }
  | { readonly type: 'clock_stepped_forward'; readonly seconds: number }
  | { readonly type: 'clock_recovered' }

/** The time of the last timestamp, kept where a restart finds it. */
export interface GenTimeRecord {
  /** Whole seconds since the epoch; undefined before the first timestamp. */
  read(): Promise<number | undefined>
  /** Resolves once it is durable. A later time that is kept already stays. */
  write(seconds: number): Promise<void>
}
