import { readFileSync } from 'node:fs'

/** Text of a file under test/vectors/fulcio/, which its README describes. */
export function fulcioVectorText(name: string): string {
  return readFileSync(new URL(`../vectors/fulcio/${name}`, import.meta.url), 'utf8')
}

/** A JSON file there, whose shape the caller knows. */
export function fulcioVector<Shape>(name: string): Shape {
  return JSON.parse(fulcioVectorText(name)) as Shape
}

export interface CsrVector {
  readonly name: string
  readonly csrPem?: string
  readonly csrDerB64?: string
  readonly accept: boolean
  readonly message?: string
}

export function csrVectors(): readonly CsrVector[] {
  return fulcioVector<{ cases: readonly CsrVector[] }>('csr.json').cases
}
