import { join } from 'node:path'
import { formatUtcTime } from '../encoding/utc-time.js'
import { dataPaths } from '../config/data-dir.js'
import type { Config } from '../config/schema.js'
import { didYouMean } from '../config/near-miss.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { encodeHex } from '../encoding/hex.js'
import { decodeSinglePem } from '../encoding/pem.js'
import { shellWord } from '../encoding/shell.js'
import { decodeUtf8, encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import {
  type DraftRootRequest,
  ROTATED_PARTS,
  type RotatedPart,
  type RotateReport,
  type RotateRequest
} from '../site/administration.js'
import { hashData } from '../keys/verify.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import type { TrustChange } from '../trust/describe-change.js'
import { TUF_ROLES, type TufRole } from '../tuf/contract.js'
import { withAdministration } from './administration.js'
import { type Command, type CommandCall, EXIT, type ExitCode, UsageError } from './command.js'
import {
  assertDraftPlace,
  describeDraftLines,
  OUT_FLAG,
  plainDescription,
  writeNewDraft
} from './draft-files.js'
import { readInput } from './input-file.js'
import { parseCount } from './remote.js'

const TUF_PREFIX = 'tuf-'
const PARTS = [...ROTATED_PARTS, ...TUF_ROLES.map((role) => `${TUF_PREFIX}${role}`)]

/** Which parts a flag is for; the others are for all. */
const FLAG_PARTS: Readonly<Record<string, readonly string[]>> = {
  'keep-key': ['log'],
  chain: ['ca'],
  ...Object.fromEntries(
    ['public-keys', 'threshold', 'publish'].map((flag) => [
      flag,
      TUF_ROLES.map((role) => `${TUF_PREFIX}${role}`)
    ])
  )
}

/** Far above any chain or key. */
const MAX_PEM_BYTES = 1024 * 1024

const MAX_THRESHOLD = 9999

export const rotateCommand: Command = {
  description:
    `PART is one of ${PARTS.join(', ')}. It gets a new key, the old one signs nothing more and stays known, a log gets a\n` +
    'new tree, and clients are told: all at once, while the server runs or while it does not. No request fails.\n' +
    'Where TUF targets keys are elsewhere, the new key waits until the draft that is written was signed: see tuf targets\n' +
    'publish. For the parts tuf-… a root is drafted, and published only by tuf root publish, or with --publish.',
  positionals: ['PART'],
  flags: [
    { name: 'dry-run', meaning: 'Only show what would change. Nothing is written.' },
    { name: 'keep-key', meaning: 'Of log: a new tree with the same key.' },
    {
      name: 'chain',
      value: 'FILE',
      meaning: 'Of ca: a chain in PEM that was signed elsewhere for a request of ca csr.'
    },
    {
      name: 'public-keys',
      value: 'FILES',
      meaning: 'Of tuf-…: public keys the role is to have, PEM files separated by commas.'
    },
    { name: 'threshold', value: 'N', meaning: 'Of tuf-…: how many of them must sign.' },
    OUT_FLAG,
    {
      name: 'publish',
      meaning: 'Of tuf-…: publish the new root at once, if all keys that must sign are here.'
    }
  ],
  config: 'all',
  run: async (call) => {
    const [part = ''] = call.positionals
    assertFlagsFit(call, part)
    const plain = ROTATED_PARTS.find((known) => known === part)
    if (plain !== undefined) return rotatePart(call, requestOf(call, plain))
    const role = TUF_ROLES.find((known) => `${TUF_PREFIX}${known}` === part)
    if (role !== undefined) return rotateRole(call, role)
    throw new UsageError(
      `${part} cannot be rotated${didYouMean(part, PARTS)}; what can: ${PARTS.join(', ')}`
    )
  }
}

/** What a flag asks for is never passed over. */
function assertFlagsFit({ flags }: CommandCall, part: string): void {
  for (const [flag, parts] of Object.entries(FLAG_PARTS)) {
    if (flags.has(flag) && PARTS.includes(part) && !parts.includes(part)) {
      throw new UsageError(`--${flag} is for rotate ${parts.join(', ')}, not for ${part}`)
    }
  }
  for (const flag of ['publish', 'out']) {
    if (flags.has('dry-run') && flags.has(flag)) {
      throw new UsageError(`--dry-run writes nothing: it does not go with --${flag}`)
    }
  }
}

function requestOf(call: CommandCall, what: RotatedPart): RotateRequest {
  const { flags } = call
  const chain = flags.get('chain')
  return {
    what,
    dryRun: flags.has('dry-run'),
    keepKey: flags.has('keep-key'),
    ...(what === 'log' ? hostnameOf(call) : {}),
    ...(chain === undefined ? {} : { chainPem: readText(chain) })
  }
}

/** Host name for the origin of a new tree, where configuration has one. */
export function hostnameOf({ loadConfig }: CommandCall): Pick<RotateRequest, 'hostname'> {
  const { hostname } = loadConfig().log
  return hostname === undefined ? {} : { hostname }
}

/** Rotates a service and tells what happened. */
export async function rotatePart(call: CommandCall, request: RotateRequest): Promise<ExitCode> {
  const config = call.loadConfig()
  const { keys } = dataPaths(config.dataDir)
  const out = call.flags.get('out')
  assertDraftPlace(out)
  const report = await withAdministration(call, config, (administration) =>
    administration.rotate(request)
  )
  const draftFile =
    report.draft === undefined
      ? undefined
      : writeNewDraft(out, `tuf-targets-for-${report.what}.json`, report.draft)
  const logId = report.opened && (await logIdOfTree(config, report.opened.treeId))
  call.print(rotationText(report, keys, draftFile, logId), {
    ...rotationValue(report, keys),
    ...(logId === undefined ? {} : { logId }),
    ...(draftFile === undefined ? {} : { draftFile })
  })
  return EXIT.ok
}

/** Hex; of a tree that is there, whoever writes to it. */
async function logIdOfTree(config: Config, treeId: string): Promise<string | undefined> {
  const database = await openDatabase({ path: dataPaths(config.dataDir).database, mode: 'read' })
  try {
    const trees = [...(await database.trees('rekor')), ...(await database.trees('ct'))]
    const tree = trees.find((each) => each.treeId === treeId)
    return tree && encodeHex(hashData('sha256', tree.publicKey))
  } finally {
    await database.close()
  }
}

function rotationText(
  report: RotateReport,
  keys: string,
  draftFile: string | undefined,
  logId: string | undefined
): string {
  const { what, outcome, keyFile, keyFileBefore, closed, opened, changes } = report
  const sameKey = keyFile === keyFileBefore
  const lines: string[] = []
  if (outcome === 'dry-run') {
    lines.push(`nothing was changed; rotating ${what} would${sameKey ? '' : ', with another key'}:`)
  }
  if (closed !== undefined) {
    lines.push(`closed    tree ${closed.treeId} with ${closed.treeSize} entries (${closed.origin})`)
  }
  if (opened !== undefined) {
    const first =
      what === 'log' && closed !== undefined
        ? `, first log index ${closed.offset + closed.treeSize}`
        : ''
    lines.push(`opened    tree ${opened.treeId}${first} (${opened.origin})`)
  }
  lines.push(...changes.map(changeLine))
  if (outcome === 'dry-run') return lines.join('\n')
  if (logId !== undefined) lines.push(`log ID    ${logId}${sameKey ? ' (as before)' : ''}`)
  lines.push(
    sameKey
      ? `key file  ${join(keys, keyFile)} (as before)`
      : `key file  ${join(keys, keyFile)} (new: back it up)`
  )
  if (draftFile !== undefined) {
    lines.push(
      `draft     ${draftFile}: nothing is signed with the new key until it is published. Sign it where the keys are:`,
      `          sigstead tuf targets sign ${shellWord(draftFile)} --key KEYFILE`,
      '          and bring it back:',
      `          sigstead tuf targets publish ${shellWord(draftFile)}`
    )
  }
  return lines.join('\n')
}

/** One line for each thing that clients are told otherwise. */
export function changeLine({
  kind,
  change,
  id,
  url,
  startSeconds,
  endSeconds
}: TrustChange): string {
  const end = endSeconds === undefined ? '' : ` until ${formatUtcTime(endSeconds)}`
  const name = kind === 'service' ? '' : ` ${id}`
  return `${change.padEnd(9)} ${kind}${name} at ${url}, believed from ${formatUtcTime(startSeconds)}${end}`
}

function rotationValue(report: RotateReport, keys: string): Record<string, JsonValue> {
  const { what, outcome, keyFile, keyFileBefore, closed, opened, changes } = report
  return {
    what,
    outcome,
    // A key that was made for a look is nowhere.
    ...(outcome === 'dry-run' && keyFile !== keyFileBefore ? {} : { keyFile: join(keys, keyFile) }),
    newKey: keyFile !== keyFileBefore,
    changes: changes.map((change) => ({ ...change })),
    ...(closed === undefined ? {} : { closed: { ...closed } }),
    ...(opened === undefined || closed === undefined
      ? {}
      : {
          opened: {
            ...opened,
            ...(what === 'log' ? { offset: closed.offset + closed.treeSize } : {})
          }
        })
  }
}

async function rotateRole(call: CommandCall, role: TufRole): Promise<ExitCode> {
  const { flags, print } = call
  const request = draftRequestOf(call, role)
  const out = flags.get('out')
  if (!request.dryRun) assertDraftPlace(out)
  return withAdministration(call, call.loadConfig(), async (administration) => {
    const { draft, description, keyFile } = await administration.draftRoot(request)
    const lines = describeDraftLines(description)
    if (request.dryRun) {
      print(
        [`nothing was changed; rotating tuf-${role} would, with another key:`, ...lines].join('\n'),
        { ...plainDescription(description), dryRun: true }
      )
      return EXIT.ok
    }
    const value = {
      ...plainDescription(description),
      ...(keyFile === undefined ? {} : { keyFile })
    }
    if (keyFile !== undefined) lines.push(`key file  ${keyFile} (new: back it up)`)
    const isComplete = description.missing.every(({ signatures }) => signatures === 0)
    if (flags.has('publish') && isComplete) {
      await administration.publishRoot(draft, description.sha256)
      print([...lines, `published SHA-256 of root.json ${description.sha256}`].join('\n'), {
        ...value,
        published: true
      })
      return EXIT.ok
    }
    const file = writeNewDraft(out, `tuf-root-${description.version}.json`, draft)
    print([...lines, ...nextSteps(file, isComplete ? description.sha256 : undefined)].join('\n'), {
      ...value,
      published: false,
      draftFile: file
    })
    return flags.has('publish') ? EXIT.failed : EXIT.ok
  })
}

function draftRequestOf({ flags }: CommandCall, role: TufRole): DraftRootRequest {
  const publicKeys = flags.get('public-keys')
  const threshold = flags.get('threshold')
  return {
    role,
    dryRun: flags.has('dry-run'),
    ...(publicKeys === undefined
      ? {}
      : { publicKeysPem: publicKeys.split(',').map((name) => readPublicKey(name.trim())) }),
    ...(threshold === undefined
      ? {}
      : { threshold: parseCount(threshold, '--threshold', 1, MAX_THRESHOLD) })
  }
}

/** @param sha256 of a draft that has all signatures */
function nextSteps(file: string, sha256: string | undefined): string[] {
  const name = shellWord(file)
  const publish = [
    '          publish it:',
    `          sigstead tuf root publish ${name} --confirm ${sha256 ?? 'SHA256'}`
  ]
  if (sha256 !== undefined) return [`draft     ${file}, all have signed`, ...publish]
  return [
    `draft     ${file}, not published: signatures are missing. Sign it where the keys are:`,
    `          sigstead tuf root sign ${name} --key KEYFILE`,
    ...publish
  ]
}

function readText(fileName: string): string {
  return decodeUtf8(readInput(fileName, MAX_PEM_BYTES))
}

/** Looked at here, where its name is known. */
function readPublicKey(fileName: string): string {
  const pem = readText(fileName)
  try {
    decodeSinglePem(encodeUtf8(pem), 'PUBLIC KEY')
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError(err.code, `${fileName}: ${err.message}`, { cause: err })
  }
  return pem
}
