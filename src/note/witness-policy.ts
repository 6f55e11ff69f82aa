import { equalBytes } from '../encoding/bytes.js'
import { decodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { cosignatureKey, parseVerifierKey, type VerifierKey } from './verifier-key.js'

/** Which logs are trusted, and whose cosignatures their checkpoints need. */
export interface WitnessPolicy {
  readonly logs: readonly PolicyLog[]
  /** In the order of the file. */
  readonly witnesses: readonly PolicyWitness[]
  /** Likewise; members come before the groups they are in. */
  readonly groups: readonly PolicyGroup[]
  /** Name of the witness or group that has to cosign; undefined where nobody has to. */
  readonly quorum: string | undefined
}

export interface PolicyLog {
  readonly key: VerifierKey
  readonly url?: string
}

export interface PolicyWitness {
  /** Within the policy. What stands on signature lines is the name of the key. */
  readonly name: string
  /** Of a type that cosigns, whatever the file says. */
  readonly key: VerifierKey
  /** Where it takes checkpoints: `/add-checkpoint` is appended. Absent where nobody can ask it over the network. */
  readonly url?: string
}

/** Witnesses, mostly those of one operator, or groups of them. */
export interface PolicyGroup {
  readonly name: string
  /** How many members must cosign for the group to count as one that did, 1 to their number. */
  readonly threshold: number
  /** Names of witnesses or groups. */
  readonly members: readonly string[]
}

/** Largest file we read. */
export const MAX_POLICY_BYTES = 256 * 1024

/** Most logs, witnesses and groups, each. The specification asks for 32, and a note has room for a hundred signatures. */
export const MAX_POLICY_ITEMS = 64

const LABEL = 'witness policy'
/** In place of a quorum: nobody has to cosign. */
const NOBODY = 'none'

interface Draft {
  readonly logs: PolicyLog[]
  readonly witnesses: PolicyWitness[]
  readonly groups: PolicyGroup[]
  quorum: { readonly name: string | undefined } | undefined
  /** Of witnesses and groups; with whether a group has it as a member. */
  readonly names: Map<string, { isMember: boolean }>
}

/**
 * Reads a policy file.
 *
 *     log <vkey> [<url>]
 *     witness <name> <vkey> [<url>]
 *     group <name> any|all|<k> <name>...
 *     quorum <name>|none
 *
 * Only names defined on earlier lines may be referred to, each as a member of one group; exactly one quorum. Comments may have
 * any bytes in them; what else is not UTF-8 is refused, where the specification only advises it.
 *
 * @throws LogError `invalid_request` | `unsupported` that names the line; `too_large` beyond MAX_POLICY_BYTES
 * @see C2SP tlog-policy
 */
export function parseWitnessPolicy(file: Uint8Array): WitnessPolicy {
  if (file.length > MAX_POLICY_BYTES) {
    throw new LogError('too_large', `${LABEL}: more than ${MAX_POLICY_BYTES} bytes`)
  }
  const draft: Draft = {
    logs: [],
    witnesses: [],
    groups: [],
    quorum: undefined,
    names: new Map()
  }
  splitLines(file).forEach((line, i) => atLine(i + 1, () => readLine(draft, line)))
  if (draft.quorum === undefined) throw malformed(`${LABEL}: no quorum`)
  const { logs, witnesses, groups, quorum } = draft
  return { logs, witnesses, groups, quorum: quorum.name }
}

const NEWLINE = 0x0a

/** Lines without their newline, of which the last one must have one too. */
function splitLines(file: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = []
  let start = 0
  for (let end = file.indexOf(NEWLINE); end >= 0; end = file.indexOf(NEWLINE, start)) {
    lines.push(file.subarray(start, end))
    start = end + 1
  }
  if (start < file.length) throw malformed(`${LABEL}: no newline at the end`)
  return lines
}

function atLine(number: number, read: () => void): void {
  try {
    read()
  } catch (err) {
    const { code, message } = err as LogError // readers throw nothing else
    throw new LogError(code, `${LABEL}: line ${number}: ${message}`, { cause: err })
  }
}

const TAB = 0x09
const SPACE = 0x20
const DELETE = 0x7f
const COMMENT = 0x23 // '#'

function readLine(draft: Draft, line: Uint8Array): void {
  if (line.some((byte) => (byte < SPACE && byte !== TAB) || byte === DELETE)) {
    throw malformed('control character')
  }
  if (line.find((byte) => byte !== SPACE && byte !== TAB) === COMMENT) return
  const [keyword, ...items] = decodeUtf8(line)
    .split(/[ \t]+/)
    .filter((item) => item !== '')
  if (keyword === undefined) return
  const reader = READERS.get(keyword)
  if (reader === undefined) throw malformed(`${JSON.stringify(keyword)} is none of the keywords`)
  reader(draft, items)
}

type ReadItems = (draft: Draft, items: readonly string[]) => void

const READERS: ReadonlyMap<string, ReadItems> = new Map([
  ['log', readLog],
  ['witness', readWitness],
  ['group', readGroup],
  ['quorum', readQuorum]
])

function readLog({ logs }: Draft, [vkey, url, ...more]: readonly string[]): void {
  if (vkey === undefined || more.length > 0) throw malformed('not log <vkey> [<url>]')
  const key = parseVerifierKey(vkey)
  // A log may sign like a witness, but then with a key that does not say when.
  if (key.type === 'ed25519-cosignature') {
    throw new LogError('unsupported', 'the key of a log is one that cosigns')
  }
  assertNew(logs, key)
  logs.push({ key, ...urlOf(url) })
}

function readWitness(draft: Draft, [name, vkey, url, ...more]: readonly string[]): void {
  if (name === undefined || vkey === undefined || more.length > 0) {
    throw malformed('not witness <name> <vkey> [<url>]')
  }
  const key = cosignatureKey(parseVerifierKey(vkey))
  // Unlike that of a log this one is used.
  if (url !== undefined && !/^https?:\/\/[^/?#@]+(?:\/[^?#]*)?$/u.test(url)) {
    throw malformed(`${JSON.stringify(url)} is no plain http or https URL`)
  }
  define(draft, name)
  assertNew(draft.witnesses, key)
  draft.witnesses.push({ name, key, ...urlOf(url) })
}

function urlOf(url: string | undefined): { readonly url?: string } {
  return url === undefined ? {} : { url }
}

/** The same key under another name would be one party that counts twice. */
function assertNew(
  list: readonly { readonly key: VerifierKey }[],
  { publicKey }: VerifierKey
): void {
  if (list.some(({ key }) => equalBytes(key.publicKey, publicKey))) {
    throw malformed('this key is there already')
  }
  assertRoom(list)
}

function assertRoom(list: readonly unknown[]): void {
  if (list.length >= MAX_POLICY_ITEMS) throw malformed(`more than ${MAX_POLICY_ITEMS} of its kind`)
}

function readGroup(draft: Draft, [name, count, ...members]: readonly string[]): void {
  if (name === undefined || count === undefined || members.length === 0) {
    throw malformed('not group <name> any|all|<k> <name>...')
  }
  for (const member of members) {
    const known = find(draft, member)
    if (known.isMember) throw malformed(`${JSON.stringify(member)} is a member already`)
    known.isMember = true
  }
  define(draft, name)
  assertRoom(draft.groups)
  draft.groups.push({ name, threshold: thresholdOf(count, members.length), members })
}

function thresholdOf(count: string, members: number): number {
  if (count === 'any') return 1
  if (count === 'all') return members
  const threshold = /^[1-9][0-9]{0,3}$/.test(count) ? Number(count) : NaN
  if (!(threshold <= members)) {
    throw malformed(`${JSON.stringify(count)} is none of any, all, 1 to ${members}`)
  }
  return threshold
}

function readQuorum(draft: Draft, [name, ...more]: readonly string[]): void {
  if (name === undefined || more.length > 0) throw malformed('not quorum <name>')
  if (draft.quorum !== undefined) throw malformed('a second quorum')
  if (name !== NOBODY) find(draft, name)
  draft.quorum = { name: name === NOBODY ? undefined : name }
}

function define({ names }: Draft, name: string): void {
  if (name === NOBODY) throw malformed(`the name "${NOBODY}" is taken`)
  if (names.has(name)) throw malformed(`the name ${JSON.stringify(name)} is taken`)
  names.set(name, { isMember: false })
}

function find({ names }: Draft, name: string): { isMember: boolean } {
  const known = names.get(name)
  if (known === undefined) throw malformed(`${JSON.stringify(name)} is not defined above`)
  return known
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
