import type { JsonValue } from '../encoding/canonical-json.js'
import { encodeBase64 } from '../encoding/base64.js'
import { parseJson } from '../encoding/json.js'
import { LogError, isLogError } from '../errors.js'
import {
  type EntryAnswer,
  type LogInfoAnswer,
  parseEntryAnswer,
  parseLogInfoAnswer,
  parseProofAnswer,
  parseSearchAnswer
} from './answers.js'
import { type HttpOptions, ask } from './http.js'
import { type LogKey, parseLogKeys } from './log-key.js'

/** Formats of the public keys that a log can be searched by. */
export const KEY_FORMATS = ['x509', 'pgp', 'minisign', 'ssh', 'tuf'] as const

export type KeyFormatName = (typeof KEY_FORMATS)[number]

/** What to look for. Several are joined by `operator`. */
export interface SearchQuery {
  readonly email?: string
  /** `sha256:<hex>` and the like. */
  readonly hash?: string
  readonly publicKey?: { readonly format: KeyFormatName; readonly content: Uint8Array }
  readonly operator?: 'and' | 'or'
}

/** Typed view of a Rekor v1 server. Answers are well-formed but not verified: see verifyEntry and verifyTreeHead. */
export interface RekorClient {
  readonly baseUrl: string
  logInfo(): Promise<LogInfoAnswer>
  /** @param treeId decimal; the active tree without */
  publicKey(treeId?: string): Promise<LogKey>
  /** @throws LogError `not_found` */
  entryByIndex(logIndex: number): Promise<EntryAnswer>
  /** @param id 64 or 80 hex digits @throws LogError `not_found` */
  entryById(id: string): Promise<EntryAnswer>
  /** Hashes of a consistency proof, and the root of the tree as it is now. */
  proof(sizes: {
    readonly firstSize: number
    readonly lastSize: number
    readonly treeId?: string
  }): Promise<{ readonly rootHash: Uint8Array; readonly hashes: readonly Uint8Array[] }>
  /** Entry IDs, in no order. */
  search(query: SearchQuery): Promise<readonly string[]>
}

const JSON_TYPE = 'application/json'
const PEM_TYPE = 'application/x-pem-file'

/** Client of the server at `baseUrl`. Every call may throw what `ask` throws, and `upstream` for malformed answers. */
export function createRekorClient(options: HttpOptions): RekorClient {
  async function askJson(path: string, body?: JsonValue): Promise<JsonValue> {
    const bytes = await ask(options, {
      path,
      accept: JSON_TYPE,
      ...(body === undefined ? {} : { body })
    })
    return understand(() => parseJson(bytes))
  }

  return {
    baseUrl: options.baseUrl,
    logInfo: async () => parseLogInfoAnswer(await askJson('/api/v1/log')),
    publicKey: async (treeId) => {
      const query = treeId === undefined ? '' : `?treeID=${encodeURIComponent(treeId)}`
      const path = `/api/v1/log/publicKey${query}`
      const keys = parseLogKeysOf(await ask(options, { path, accept: PEM_TYPE }))
      const [key] = keys
      if (key === undefined || keys.length > 1) {
        throw new LogError('upstream', "the server's answer is malformed: not one public key")
      }
      return key
    },
    entryByIndex: async (logIndex) =>
      parseEntryAnswer(await askJson(`/api/v1/log/entries?logIndex=${logIndex}`)),
    entryById: async (id) =>
      parseEntryAnswer(await askJson(`/api/v1/log/entries/${encodeURIComponent(id)}`)),
    proof: async ({ firstSize, lastSize, treeId }) => {
      const query = new URLSearchParams({
        firstSize: String(firstSize),
        lastSize: String(lastSize),
        ...(treeId === undefined ? {} : { treeID: treeId })
      })
      return parseProofAnswer(await askJson(`/api/v1/log/proof?${query.toString()}`))
    },
    search: async ({ email, hash, publicKey, operator }) =>
      parseSearchAnswer(
        await askJson('/api/v1/index/retrieve', {
          email,
          hash,
          publicKey:
            publicKey === undefined
              ? undefined
              : { format: publicKey.format, content: encodeBase64(publicKey.content) },
          operator
        })
      )
  }
}

function parseLogKeysOf(pem: Uint8Array): readonly LogKey[] {
  return understand(() => parseLogKeys(pem))
}

/** What a parser of ours refuses here is the server's fault, not the caller's. */
function understand<T>(parse: () => T): T {
  try {
    return parse()
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError('upstream', `the server's answer is malformed: ${err.message}`, {
      cause: err
    })
  }
}
