import type { Command } from './command.js'

/** A command before its module is loaded: looking one up must not cost loading them all. */
export interface CommandEntry {
  /** One to three words. */
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** Every command there is. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'start',
    summary: 'make a log where there is none, then serve',
    load: async () => (await import('./start.js')).startCommand
  },
  {
    name: 'init',
    summary: 'make all keys, logs, authorities and the TUF repository in a new data directory',
    load: async () => (await import('./init.js')).initCommand
  },
  {
    name: 'serve',
    summary: 'serve an existing data directory',
    load: async () => (await import('./serve.js')).serveCommand
  },
  {
    name: 'verify',
    summary: 'check everything in a data directory',
    load: async () => (await import('./verify.js')).verifyCommand
  },
  {
    name: 'entry get',
    summary: 'fetch an entry and check SET, proof and checkpoint',
    load: async () => (await import('./entry-get.js')).entryGetCommand
  },
  {
    name: 'entry search',
    summary: 'find entries by hash, e-mail or public key',
    load: async () => (await import('./entry-search.js')).entrySearchCommand
  },
  {
    name: 'entry proof',
    summary: 'check that the log grew from one size to another',
    load: async () => (await import('./entry-proof.js')).entryProofCommand
  },
  {
    name: 'log info',
    summary: 'show the trees of a log and check their checkpoints',
    load: async () => (await import('./log-info.js')).logInfoCommand
  },
  {
    name: 'shard list',
    summary: 'show the trees of a data directory',
    load: async () => (await import('./shard-list.js')).shardListCommand
  },
  {
    name: 'shard rotate',
    summary: 'close the active tree and open the next',
    load: async () => (await import('./shard-rotate.js')).shardRotateCommand
  },
  {
    name: 'ca explain-token',
    summary: 'say step by step what a token would be given, or why it is refused',
    load: async () => (await import('./ca-explain-token.js')).caExplainTokenCommand
  },
  {
    name: 'ca list',
    summary: 'show the certificate authorities of a data directory',
    load: async () => (await import('./ca-list.js')).caListCommand
  },
  {
    name: 'ca csr',
    summary: 'make an issuing key and a request for its certificate',
    load: async () => (await import('./ca-csr.js')).caCsrCommand
  },
  {
    name: 'ca import-chain',
    summary: 'let a chain that was signed elsewhere issue',
    load: async () => (await import('./ca-import-chain.js')).caImportChainCommand
  },
  {
    name: 'ct info',
    summary: 'show the certificate logs of a data directory and their keys',
    load: async () => (await import('./ct-info.js')).ctInfoCommand
  },
  {
    name: 'rotate',
    summary: 'give a log, an authority or a TUF role another key',
    load: async () => (await import('./rotate.js')).rotateCommand
  },
  {
    name: 'rotate cancel',
    summary: 'forget a rotation that waits for signatures',
    load: async () => (await import('./rotate-cancel.js')).rotateCancelCommand
  },
  {
    name: 'status',
    summary: 'show what runs, what waits and what expires',
    load: async () => (await import('./status.js')).statusCommand
  },
  {
    name: 'trust check',
    summary: 'say what is wrong or stale about a trusted root, signing config or PEM file',
    load: async () => (await import('./trust-check.js')).trustCheckCommand
  },
  {
    name: 'tuf root draft',
    summary: 'draft a root that is good for longer',
    load: async () => (await import('./tuf-draft.js')).tufRootDraftCommand
  },
  {
    name: 'tuf root sign',
    summary: 'sign a draft of a root, on any machine',
    load: async () => (await import('./tuf-draft.js')).signCommand('root')
  },
  {
    name: 'tuf root show',
    summary: 'say what a draft of a root changes',
    load: async () => (await import('./tuf-draft.js')).showCommand('root')
  },
  {
    name: 'tuf root publish',
    summary: 'publish a root that was signed',
    load: async () => (await import('./tuf-draft.js')).tufRootPublishCommand
  },
  {
    name: 'tuf targets draft',
    summary: 'draft targets metadata for keys that are elsewhere',
    load: async () => (await import('./tuf-draft.js')).tufTargetsDraftCommand
  },
  {
    name: 'tuf targets sign',
    summary: 'sign a draft of targets metadata, on any machine',
    load: async () => (await import('./tuf-draft.js')).signCommand('targets')
  },
  {
    name: 'tuf targets show',
    summary: 'say what a draft of targets metadata changes',
    load: async () => (await import('./tuf-draft.js')).showCommand('targets')
  },
  {
    name: 'tuf targets publish',
    summary: 'publish targets metadata that was signed',
    load: async () => (await import('./tuf-draft.js')).tufTargetsPublishCommand
  },
  {
    name: 'tuf key new',
    summary: 'make a root or targets key that stays elsewhere',
    load: async () => (await import('./tuf-key-new.js')).tufKeyNewCommand
  },
  {
    name: 'config table',
    summary: 'print every configuration key as a Markdown table',
    load: async () => (await import('./config-table.js')).configTableCommand
  },
  {
    name: 'version',
    summary: 'print the version',
    load: async () => (await import('./version.js')).versionCommand
  }
]
