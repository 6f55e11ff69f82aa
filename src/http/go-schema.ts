import { decodeBase64Loose } from '../encoding/base64.js'
import { isJsonObject } from '../encoding/json.js'
import type { SchemaNode } from './contract.js'
import { brokenRule, quoted, RefusedRequest, type Place } from './refused-request.js'

/**
 * Schema rules in the order and with the words of go-swagger, which generated Rekor's server: clients match its
 * messages. It works in two passes, and so do we. `decode` is about JSON types, as Go's decoder: `null` is absent,
 * names are compared without case, unknown members vanish. `check` is about everything else. The first failure wins.
 */
export interface CompiledSchema {
  /** @returns the value without anything the schema does not name; undefined when absent */
  decode(value: unknown, name: string): unknown
  /** @param value what `decode` returned */
  check(value: unknown, name: string, place: Place): void
}

export type Resolve = (node: SchemaNode) => SchemaNode

// Nothing else may appear in a schema that requests are held against: a rule we overlooked would be a rule unchecked.
const KNOWN = new Set(
  `$ref type format properties required items pattern enum minLength maxLength minimum maximum minItems maxItems
  discriminator default description x-opaque x-empty-is-absent anyOf`.split(/\s+/)
)

/** @throws Error on a keyword this reader does not know: a mistake in the document */
export function compileSchema(schema: SchemaNode, resolve: Resolve): CompiledSchema {
  const node = resolve(schema)
  for (const keyword of Object.keys(node)) {
    if (!KNOWN.has(keyword)) throw new Error(`contract: ${keyword} is not supported in requests`)
  }
  if (node['x-opaque'] === true) return OPAQUE
  if (node.anyOf !== undefined) throw new Error('contract: anyOf is not supported in requests')
  switch (typeOf(node)) {
    case 'object':
      return compileObject(node, resolve)
    case 'array':
      return compileArray(node, resolve)
    case 'string':
      return compileString(node)
    case 'integer':
      return compileInteger(node)
    default:
      throw new Error(`contract: type ${String(node.type)} is not supported in requests`)
  }
}

/** The one type of a node beside `null`. */
export function typeOf(node: SchemaNode): string {
  const types = [node.type].flat().filter((type) => type !== 'null')
  return types.length === 1 ? String(types[0]) : ''
}

const OPAQUE: CompiledSchema = {
  decode: (value) => value ?? undefined,
  check: () => undefined
}

interface Property {
  readonly name: string
  readonly required: boolean
  readonly schema: CompiledSchema
  /**
   * What nested members are called. go-swagger puts the name of an inline object twice before its members
   * (`publicKey.publicKey.format`), that of a shared one once (`entries.0.apiVersion`).
   */
  readonly prefix: string
}

function compileObject(node: SchemaNode, resolve: Resolve): CompiledSchema {
  const required = asTexts(node.required)
  const properties = Object.entries((node.properties ?? {}) as Record<string, SchemaNode>).map(
    ([name, schema]): Property => ({
      name,
      required: required.includes(name),
      schema: compileSchema(schema, resolve),
      prefix: schema.$ref === undefined ? `${name}.${name}` : name
    })
  )
  const byFoldedName = new Map(
    properties.map((property) => [property.name.toLowerCase(), property])
  )
  const discriminate = compileDiscriminator(node)

  return {
    decode(value, name) {
      if (discriminate === undefined && (value === null || value === undefined)) return undefined
      if (value !== null && value !== undefined && !isJsonObject(value))
        throw wrongType(name, 'object')
      const folded: Record<string, unknown> = {}
      for (const [memberName, member] of Object.entries(value ?? {})) {
        const property = byFoldedName.get(memberName.toLowerCase())
        if (property !== undefined && member !== null) folded[property.name] = member
      }
      discriminate?.(folded)
      const decoded: Record<string, unknown> = {}
      for (const property of properties) {
        const member = property.schema.decode(folded[property.name], property.name)
        // Go cannot tell the empty string from an absent one unless the member is required.
        if (member === undefined || (member === '' && !property.required)) continue
        decoded[property.name] = member
      }
      return decoded
    },
    check(value, name, place) {
      const record = value as Record<string, unknown> // made by decode
      for (const property of properties) {
        const member = record[property.name]
        const memberName = name === '' ? property.name : `${name}.${property.name}`
        if (member === undefined) {
          if (property.required) throw brokenRule('required', memberName, place, 'is required')
          continue
        }
        // Only an object uses the name as a prefix; everything else is called by its own.
        const nested = isJsonObject(member) ? property.prefix : property.name
        property.schema.check(member, name === '' ? nested : `${name}.${nested}`, place)
      }
    }
  }
}

/** Go looks at the discriminator before it decodes anything else of the object. */
function compileDiscriminator(
  node: SchemaNode
): ((value: Readonly<Record<string, unknown>>) => void) | undefined {
  if (node.discriminator === undefined) return undefined
  const { propertyName, mapping } = node.discriminator as {
    propertyName: string
    mapping: Record<string, string>
  }
  const known = new Set(Object.keys(mapping))
  return (value) => {
    const kind = value[propertyName]
    if (kind === undefined || kind === '') {
      throw brokenRule('required', propertyName, 'body', 'is required')
    }
    if (typeof kind !== 'string') throw wrongType(propertyName, 'string')
    if (!known.has(kind)) {
      throw new RefusedRequest(422, 422, `invalid ${propertyName} value: ${quoted(kind)}`)
    }
  }
}

function compileArray(node: SchemaNode, resolve: Resolve): CompiledSchema {
  const itemNode = resolve(node.items as SchemaNode)
  const items = compileSchema(itemNode, resolve)
  // Go decodes a null item of a list of strings to the empty string.
  const nullItem = typeOf(itemNode) === 'string' ? '' : null
  const minItems = asNumber(node.minItems)
  const maxItems = asNumber(node.maxItems)
  const emptyIsAbsent = node['x-empty-is-absent'] === true
  return {
    decode(value, name) {
      if (value === null || value === undefined) return undefined
      if (!Array.isArray(value)) throw wrongType(name, 'array')
      if (emptyIsAbsent && value.length === 0) return undefined
      return value.map((item: unknown, i) => items.decode(item ?? nullItem, `${name}.${i}`))
    },
    check(value, name, place) {
      const list = value as readonly unknown[] // made by decode
      if (minItems !== undefined && list.length < minItems) {
        throw brokenRule('minItems', name, place, `should have at least ${minItems} items`)
      }
      if (maxItems !== undefined && list.length > maxItems) {
        throw brokenRule('maxItems', name, place, `should have at most ${maxItems} items`)
      }
      list.forEach((item, i) => {
        if (item === undefined) throw brokenRule('required', `${name}.${i}`, place, 'is required')
        items.check(item, `${name}.${i}`, place)
      })
    }
  }
}

function compileString(node: SchemaNode): CompiledSchema {
  const minLength = asNumber(node.minLength)
  const maxLength = asNumber(node.maxLength)
  const { format } = node
  if (format !== undefined && format !== 'byte' && format !== 'email') {
    throw new Error(`contract: format ${String(format)} is not supported in requests`)
  }
  const pattern = node.pattern === undefined ? undefined : new RegExp(String(node.pattern), 'u')
  const choices =
    node.enum === undefined ? undefined : (node.enum as unknown[]).filter((c) => c !== null)
  return {
    decode(value, name) {
      if (value === null || value === undefined) return undefined
      if (typeof value !== 'string') throw wrongType(name, 'string')
      return format === 'byte' ? decodeBase64Loose(value, name) : value
    },
    check(value, name, place) {
      if (typeof value !== 'string') return // bytes, already read
      if (minLength !== undefined && value.length < minLength) {
        throw brokenRule('minLength', name, place, `should be at least ${minLength} chars long`)
      }
      if (maxLength !== undefined && value.length > maxLength) {
        throw brokenRule('maxLength', name, place, `should be at most ${maxLength} chars long`)
      }
      if (pattern !== undefined && !pattern.test(value)) {
        throw brokenRule('pattern', name, place, `should match '${String(node.pattern)}'`)
      }
      if (choices !== undefined && !choices.includes(value)) {
        throw brokenRule('enum', name, place, `should be one of [${choices.join(' ')}]`)
      }
      if (format === 'email' && !EMAIL.test(value)) {
        throw brokenRule('type', name, place, `must be of type email: ${quoted(value)}`)
      }
    }
  }
}

// Go's address parser takes far more, such as comments and quoted names; none of it occurs in the index.
const EMAIL = /^[^\s@]+@[^\s@]+$/

function compileInteger(node: SchemaNode): CompiledSchema {
  const minimum = asNumber(node.minimum)
  const maximum = asNumber(node.maximum)
  return {
    decode(value, name) {
      if (value === null || value === undefined) return undefined
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'int64')
      return value
    },
    check(value, name, place) {
      const number = value as number // made by decode
      if (minimum !== undefined && number < minimum) {
        throw brokenRule('minimum', name, place, `should be greater than or equal to ${minimum}`)
      }
      if (maximum !== undefined && number > maximum) {
        throw brokenRule('maximum', name, place, `should be less than or equal to ${maximum}`)
      }
    }
  }
}

function wrongType(name: string, type: string): RefusedRequest {
  return brokenRule('type', name === '' ? 'request' : name, 'body', `must be of type ${type}`)
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function asTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
