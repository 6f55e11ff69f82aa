import { readCarriedSigner, readPassphrase } from '../config/secrets.js'
import type { DraftReport } from '../site/administration.js'
import { describeDraft, type DraftDescription } from '../tuf/describe-draft.js'
import { signDraft } from '../tuf/draft.js'
import { withAdministration } from './administration.js'
import { type Command, type CommandCall, EXIT, UsageError } from './command.js'
import {
  assertDraftPlace,
  describeDraftLines,
  OUT_FLAG,
  plainDescription,
  readDraft,
  replaceDraft,
  writeNewDraft
} from './draft-files.js'

type DraftedRole = 'root' | 'targets'

export const tufRootDraftCommand: Command = {
  description:
    'The same keys, good for longer. It is signed by the root keys that are here; the others sign with tuf root sign.\n' +
    'For other keys see rotate tuf-….',
  flags: [OUT_FLAG],
  config: 'all',
  run: async (call) => {
    assertDraftPlace(call.flags.get('out'))
    const report = await withAdministration(call, call.loadConfig(), (administration) =>
      administration.draftRoot({ dryRun: false })
    )
    return printDraft(call, 'root', report)
  }
}

export const tufTargetsDraftCommand: Command = {
  description:
    'Targets metadata with the trust material as it is now, for targets keys that are elsewhere: they sign with tuf targets\n' +
    'sign, and tuf targets publish brings it to clients.',
  flags: [OUT_FLAG],
  config: 'all',
  run: async (call) => {
    assertDraftPlace(call.flags.get('out'))
    const report = await withAdministration(call, call.loadConfig(), (administration) =>
      administration.draftTargets()
    )
    return printDraft(call, 'targets', report)
  }
}

function printDraft(
  { flags, print }: CommandCall,
  role: DraftedRole,
  { draft, description }: DraftReport
) {
  const file = writeNewDraft(flags.get('out'), `tuf-${role}-${description.version}.json`, draft)
  print([...describeDraftLines(description), `draft     ${file}`].join('\n'), {
    ...plainDescription(description),
    draftFile: file
  })
  return EXIT.ok
}

/** Adds a signature to a draft; needs no data directory. */
export function signCommand(role: DraftedRole): Command {
  return {
    description:
      'Adds one signature to the draft in FILE. Needs nothing but the draft and the key: no data directory, no server, no\n' +
      'network. Look at what is signed with tuf ' +
      `${role} show.`,
    positionals: ['FILE'],
    flags: [
      { name: 'key', value: 'FILE', meaning: 'Private key: PKCS#8 PEM, readable by nobody else.' },
      { name: 'key-passphrase', value: 'FILE', meaning: 'Its passphrase, in a file.' }
    ],
    run: async ({ flags, positionals, print }) => {
      const [file = ''] = positionals
      const keyFile = flags.get('key')
      if (keyFile === undefined) throw new UsageError('--key FILE is missing')
      const passphrase = readPassphrase({
        keyPassphraseFile: flags.get('key-passphrase'),
        keyPassphrase: undefined
      })
      const signed = await signDraft(readOf(role, file), readCarriedSigner(keyFile, passphrase))
      const description = describeDraft(signed, undefined)
      replaceDraft(file, signed)
      print(describeDraftLines(description).join('\n'), plainDescription(description))
      return EXIT.ok
    }
  }
}

/** Tells what a draft is; needs no data directory. */
export function showCommand(role: DraftedRole): Command {
  return {
    description:
      'Says what the draft in FILE changes, who has signed it, and whose signatures are missing.',
    positionals: ['FILE'],
    run: async ({ positionals, print }) => {
      const [file = ''] = positionals
      const description = describeDraft(readOf(role, file), undefined)
      print(describeDraftLines(description).join('\n'), plainDescription(description))
      return EXIT.ok
    }
  }
}

function readOf(role: DraftedRole, file: string): string {
  const draft = readDraft(file)
  const description = describeDraft(draft, undefined)
  if (description.role !== role) {
    throw new UsageError(`${file} is a draft of ${description.role}, not of ${role}`)
  }
  return draft
}

export const tufRootPublishCommand: Command = {
  description:
    'Clients believe a root for years: it is published only when --confirm repeats the SHA-256 that this command prints\n' +
    'without it. Compare that with what those who signed have seen.',
  positionals: ['FILE'],
  flags: [{ name: 'confirm', value: 'SHA256', meaning: 'Hex SHA-256 of the root as published.' }],
  config: 'all',
  run: async (call) => {
    const { flags, positionals, print } = call
    const [file = ''] = positionals
    const draft = readOf('root', file)
    const confirmation = flags.get('confirm')
    if (confirmation === undefined) {
      const description = describeDraft(draft, undefined)
      print(
        [
          ...describeDraftLines(description),
          `not published: add --confirm ${description.sha256}`
        ].join('\n'),
        { ...plainDescription(description), published: false }
      )
      return EXIT.failed
    }
    const description = await withAdministration(call, call.loadConfig(), (administration) =>
      administration.publishRoot(draft, confirmation.toLowerCase())
    )
    return printPublished(call, description)
  }
}

export const tufTargetsPublishCommand: Command = {
  description:
    'Brings signed targets metadata to clients. A rotation that waited for it happens now.',
  positionals: ['FILE'],
  config: 'all',
  run: async (call) => {
    const draft = readOf('targets', call.positionals[0] ?? '')
    const { rotated, ...description } = await withAdministration(
      call,
      call.loadConfig(),
      (administration) => administration.publishTargets(draft)
    )
    return printPublished(call, description, rotated)
  }
}

function printPublished({ print }: CommandCall, description: DraftDescription, rotated?: string) {
  print(
    [
      ...describeDraftLines(description),
      ...(rotated === undefined ? [] : [`rotated   ${rotated}`]),
      'published'
    ].join('\n'),
    {
      ...plainDescription(description),
      published: true,
      ...(rotated === undefined ? {} : { rotated })
    }
  )
  return EXIT.ok
}
