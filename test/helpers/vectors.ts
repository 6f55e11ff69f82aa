import { readFileSync } from 'node:fs'
import type { ProposedEntry } from '../../src/entries/entry-type.js'

/** A file under test/vectors/rekor/. */
export function rekorVector(path: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(`../vectors/rekor/${path}`, import.meta.url)))
}

export function rekorVectorText(path: string): string {
  return Buffer.from(rekorVector(path)).toString('utf8')
}

/** What test/vectors/rekor/README.md says about computed/. */
export interface ComputedVector {
  readonly kind: string
  readonly apiVersion: string
  readonly proposedEntry: ProposedEntry
  readonly canonicalBody: string
  readonly leafHash: string
  readonly indexKeys: readonly string[]
  readonly attestation?: { readonly key: string; readonly bytesBase64: string }
}

export function computedVector(name: string): ComputedVector {
  return JSON.parse(rekorVectorText(`computed/${name}.json`)) as ComputedVector
}

export interface GoldenAnswer {
  readonly base: string
  readonly path: readonly (string | number)[]
  readonly change: string
  readonly status: number
  readonly body?: { readonly code: number; readonly message: string }
  readonly leafHash?: string
}

/** Every recorded answer about an entry, see test/vectors/rekor/golden/README.md. */
export function goldenAnswers(): readonly GoldenAnswer[] {
  return rekorVectorText('golden/entries.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as GoldenAnswer)
}

const REPLACEMENTS: Readonly<Record<string, unknown>> = {
  null: null,
  object: {},
  array: [],
  empty: '',
  zero: 0,
  nullItem: [null]
}

export const CHANGES: readonly string[] = ['absent', ...Object.keys(REPLACEMENTS)]

/** A copy of `value` with `change` made at `path`. */
export function changed<Value>(
  value: Value,
  path: readonly (string | number)[],
  change: string
): Value {
  const copy = structuredClone(value)
  const last = path[path.length - 1] ?? ''
  let parent: unknown = copy
  for (const step of path.slice(0, -1)) parent = (parent as Record<string | number, unknown>)[step]
  if (change !== 'absent') {
    ;(parent as Record<string | number, unknown>)[last] = structuredClone(REPLACEMENTS[change])
  } else if (Array.isArray(parent)) {
    parent.splice(Number(last), 1)
  } else {
    delete (parent as Record<string | number, unknown>)[last]
  }
  return copy
}

/** Path of every member and item inside `value`, outermost first. */
export function pathsOf(value: unknown): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return []
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  return steps.flatMap((step) => [
    [step],
    ...pathsOf((value as Record<string | number, unknown>)[step]).map((path) => [step, ...path])
  ])
}
