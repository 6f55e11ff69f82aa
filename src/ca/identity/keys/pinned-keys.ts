import { equalBytes } from '../../../encoding/bytes.js'
import { LogError } from '../../../errors.js'
import { JWS_ALGORITHM_NAMES } from '../jws-algorithms.js'
import { type KeySet, parseKeySet } from './key-set.js'
import type { IssuerKeys, KeySource } from './key-source.js'
import { shareCalls } from './shared-calls.js'

/** Content of a file. Rejects with any error. */
export type ReadFile = (path: string) => Promise<Uint8Array>

/**
 * Keys in a file that the operator looks after. It is read after every token has come, so that a change counts at once; tokens that
 * come together share what is read. While it cannot be read or used, as in the middle of being written, the keys it had before stay in force and `onProblem` is told.
 */
export function createPinnedKeySource(options: {
  readonly file: string
  readonly readFile: ReadFile
  readonly onProblem: (problem: string) => void
}): KeySource {
  const { file, onProblem } = options
  const readShared = shareCalls(() => options.readFile(file))
  let last: { readonly bytes: Uint8Array; readonly keys: IssuerKeys } | undefined
  let lastProblem: string | undefined
  return {
    async current() {
      try {
        const bytes = await readShared()
        if (last === undefined || !equalBytes(bytes, last.bytes)) {
          last = { bytes, keys: toIssuerKeys(readPinnedKeySet(bytes), file) }
        }
        lastProblem = undefined
      } catch (err) {
        const problem = `keys in ${file} cannot be used: ${(err as Error).message}`
        if (last === undefined) throw new LogError('upstream', problem, { cause: err })
        // Once for each kind of trouble, not for each token.
        if (problem !== lastProblem) onProblem(`${problem}; those it had before stay in force`)
        lastProblem = problem
      }
      return last.keys
    },
    newer: async () => undefined
  }
}

/** Reads such a file. @throws LogError when there is no key to use in it */
export function readPinnedKeySet(bytes: Uint8Array): KeySet {
  const set = parseKeySet(bytes)
  if (set.keys.length === 0) {
    const reasons = set.unusable.length === 0 ? 'the set is empty' : set.unusable.join('; ')
    throw new LogError('invalid_request', `no usable key: ${reasons}`)
  }
  return set
}

function toIssuerKeys({ keys, unusable }: KeySet, file: string): IssuerKeys {
  // Nobody says which algorithms the issuer uses; each key still takes only those of its kind.
  return { keys, algorithms: JWS_ALGORITHM_NAMES, origin: `file ${file}`, unusable }
}
