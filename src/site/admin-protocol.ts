import { isJsonObject } from '../encoding/json.js'
import { LogError } from '../errors.js'
import { type Administration, ROTATED_PARTS } from './administration.js'
import { TUF_ROLES } from '../tuf/contract.js'

/** Requests are `POST /<operation>` with the arguments as a JSON object; answers are `{"result":…}` or `{"error":{"code","message"}}`. */
export const ADMIN_OPERATIONS = [
  'status',
  'rotate',
  'cancelRotation',
  'draftRoot',
  'publishRoot',
  'draftTargets',
  'publishTargets'
] as const
export type AdminOperation = (typeof ADMIN_OPERATIONS)[number]

/** Longest request: drafts hold whole metadata. */
export const MAX_ADMIN_REQUEST_BYTES = 16 * 1024 * 1024

/** Does what a request asks for. @throws LogError `invalid_request` for one that is malformed */
export async function runAdminOperation(
  administration: Administration,
  operation: string,
  request: unknown
): Promise<unknown> {
  const members = isJsonObject(request) ? request : fail('the request is no object')
  switch (operation) {
    case 'status':
      return administration.status()
    case 'rotate':
      return administration.rotate({
        what: oneOf(members.what, ROTATED_PARTS, 'what'),
        dryRun: flag(members, 'dryRun'),
        keepKey: flag(members, 'keepKey'),
        ...optionalText(members, 'hostname'),
        ...optionalText(members, 'chainPem')
      })
    case 'cancelRotation':
      return administration.cancelRotation()
    case 'draftRoot':
      return administration.draftRoot({
        dryRun: flag(members, 'dryRun'),
        ...(members.role === undefined ? {} : { role: oneOf(members.role, TUF_ROLES, 'role') }),
        ...optionalKeys(members.publicKeysPem),
        ...optionalThreshold(members.threshold)
      })
    case 'publishRoot':
      return administration.publishRoot(
        text(members.draft, 'draft'),
        text(members.confirmation, 'confirmation')
      )
    case 'draftTargets':
      return administration.draftTargets()
    case 'publishTargets':
      return administration.publishTargets(text(members.draft, 'draft'))
    default:
      throw new LogError('not_found', `there is no operation ${JSON.stringify(operation)}`)
  }
}

function fail(problem: string): never {
  throw new LogError('invalid_request', problem)
}

function text(value: unknown, name: string): string {
  return typeof value === 'string' ? value : fail(`${name} must be a text`)
}

/** Whoever only wants to look must not be taken at half a word. */
function flag(members: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = members[name]
  if (value === undefined) return false
  return typeof value === 'boolean' ? value : fail(`${name} must be true or false`)
}

function optionalText<Name extends string>(
  members: Readonly<Record<string, unknown>>,
  name: Name
): { readonly [Key in Name]?: string } {
  const value = members[name]
  return value === undefined
    ? {}
    : ({ [name]: text(value, name) } as { readonly [Key in Name]: string })
}

function optionalKeys(value: unknown): { readonly publicKeysPem?: readonly string[] } {
  if (value === undefined) return {}
  if (!Array.isArray(value)) return fail('publicKeysPem must be a list')
  return { publicKeysPem: value.map((key) => text(key, 'publicKeysPem')) }
}

function optionalThreshold(value: unknown): { readonly threshold?: number } {
  if (value === undefined) return {}
  return typeof value === 'number' ? { threshold: value } : fail('threshold must be a number')
}

function oneOf<const Value extends string>(
  value: unknown,
  values: readonly Value[],
  name: string
): Value {
  return (
    values.find((known) => known === value) ?? fail(`${name} must be one of ${values.join(', ')}`)
  )
}
