import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataPaths } from '../config/data-dir.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { LogError } from '../errors.js'
import {
  ROTATED_PARTS,
  type RotatedPart,
  type RotateReport,
  type RotateRequest
} from '../site/administration.js'
import type { TrustChange } from '../trust/describe-change.js'
import { TUF_ROLES, type TufRole } from '../tuf/contract.js'
import { withAdministration } from './administration.js'
import { type Command, type CommandCall, EXIT, type ExitCode, UsageError } from './command.js'
import { describeDraftLines, plainDescription, writeDraft } from './draft-files.js'

const TUF_PREFIX = 'tuf-'
const PARTS = [...ROTATED_PARTS, ...TUF_ROLES.map((role) => `${TUF_PREFIX}${role}`)]

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
    { name: 'out', value: 'FILE', meaning: 'Where a draft is written. Default: in this folder.' },
    {
      name: 'publish',
      meaning: 'Of tuf-…: publish the new root at once, if all keys that must sign are here.'
    }
  ],
  config: 'all',
  run: async (call) => {
    const [part = ''] = call.positionals
    const plain = ROTATED_PARTS.find((known) => known === part)
    if (plain !== undefined) return rotatePart(call, requestOf(call, plain))
    const role = TUF_ROLES.find((known) => `${TUF_PREFIX}${known}` === part)
    if (role !== undefined) return rotateRole(call, role)
    throw new UsageError(`${part} cannot be rotated; what can: ${PARTS.join(', ')}`)
  }
}

function requestOf({ flags }: CommandCall, what: RotatedPart): RotateRequest {
  const chain = flags.get('chain')
  const hostname = flags.get('log-hostname')
  if (chain !== undefined && what !== 'ca') throw new UsageError('--chain is for rotate ca')
  if (flags.has('keep-key') && what !== 'log') throw new UsageError('--keep-key is for rotate log')
  return {
    what,
    dryRun: flags.has('dry-run'),
    keepKey: flags.has('keep-key'),
    ...(hostname === undefined || what !== 'log' ? {} : { hostname }),
    ...(chain === undefined ? {} : { chainPem: readText(chain) })
  }
}

/** Rotates a service and tells what happened. */
export async function rotatePart(call: CommandCall, request: RotateRequest): Promise<ExitCode> {
  const config = call.loadConfig()
  const { keys } = dataPaths(config.dataDir)
  const report = await withAdministration(call, config, (administration) =>
    administration.rotate(request)
  )
  const draftFile =
    report.draft === undefined
      ? undefined
      : writeDraft(call.flags.get('out') ?? `tuf-targets-for-${report.what}.json`, report.draft)
  call.print(rotationText(report, keys, draftFile), {
    ...rotationValue(report, keys),
    ...(draftFile === undefined ? {} : { draftFile })
  })
  return EXIT.ok
}

function rotationText(report: RotateReport, keys: string, draftFile: string | undefined): string {
  const { what, outcome, keyFile, keyFileBefore, closed, opened, changes } = report
  const sameKey = keyFile === keyFileBefore
  const lines: string[] = []
  if (outcome === 'dry-run') lines.push(`nothing was changed; rotating ${what} would:`)
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
  lines.push(
    sameKey
      ? `key file  ${join(keys, keyFile)} (as before)`
      : `key file  ${join(keys, keyFile)} (new: back it up)`
  )
  if (draftFile !== undefined) {
    lines.push(
      `draft     ${draftFile}: nothing is signed with the new key until it is published. Sign it where the keys are:`,
      `          sigstead tuf targets sign ${draftFile} --key KEYFILE`,
      '          and bring it back:',
      `          sigstead tuf targets publish ${draftFile}`
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
  const end = endSeconds === undefined ? '' : ` until ${isoTime(endSeconds)}`
  const name = kind === 'service' ? '' : ` ${id}`
  return `${change.padEnd(9)} ${kind}${name} at ${url}, believed from ${isoTime(startSeconds)}${end}`
}

function rotationValue(report: RotateReport, keys: string): Record<string, JsonValue> {
  const { what, outcome, keyFile, keyFileBefore, closed, opened, changes } = report
  return {
    what,
    outcome,
    keyFile: join(keys, keyFile),
    newKey: keyFile !== keyFileBefore,
    changes: changes.map((change) => ({ ...change })),
    ...(closed === undefined ? {} : { closed: { ...closed } }),
    ...(opened === undefined ? {} : { opened: { ...opened } })
  }
}

async function rotateRole(call: CommandCall, role: TufRole): Promise<ExitCode> {
  const { flags, print } = call
  const publicKeys = flags.get('public-keys')
  const threshold = flags.get('threshold')
  if (threshold !== undefined && !/^[1-9][0-9]{0,3}$/.test(threshold)) {
    throw new UsageError(`--threshold must be a number from 1: ${threshold}`)
  }
  const dryRun = flags.has('dry-run')
  return withAdministration(call, call.loadConfig(), async (administration) => {
    const { draft, description, keyFile } = await administration.draftRoot({
      role,
      dryRun,
      ...(publicKeys === undefined
        ? {}
        : { publicKeysPem: publicKeys.split(',').map((name) => readText(name.trim())) }),
      ...(threshold === undefined ? {} : { threshold: Number(threshold) })
    })
    const value = {
      ...plainDescription(description),
      ...(keyFile === undefined ? {} : { keyFile })
    }
    const lines = describeDraftLines(description)
    if (dryRun) {
      print([`nothing was changed; rotating tuf-${role} would:`, ...lines].join('\n'), value)
      return EXIT.ok
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
    const file = writeDraft(flags.get('out') ?? `tuf-root-${description.version}.json`, draft)
    print(
      [
        ...lines,
        `draft     ${file}`,
        ...(isComplete
          ? []
          : [
              '          sign it where the keys are:',
              `          sigstead tuf root sign ${file} --key KEYFILE`
            ]),
        '          publish it:',
        `          sigstead tuf root publish ${file} --confirm ${isComplete ? description.sha256 : 'SHA256'}`
      ].join('\n'),
      { ...value, published: false, draftFile: file }
    )
    return flags.has('publish') ? EXIT.failed : EXIT.ok
  })
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function readText(fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8')
  } catch (err) {
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    throw new LogError('invalid_request', `${fileName} cannot be read: ${code}`, { cause: err })
  }
}
