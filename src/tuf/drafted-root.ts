import { LogError } from '../errors.js'
import { parseDraft } from './draft.js'
import { keysByRole, type KeysByRole } from './roles.js'

/** Keys of every role as the draft of a root has them. @throws LogError as parseDraft */
export function draftedRoles(draft: string): KeysByRole {
  const parsed = parseDraft(draft)
  if (parsed.role !== 'root') throw new LogError('invalid_request', 'not a draft of a root')
  return keysByRole(parsed.metadata.signed)
}
