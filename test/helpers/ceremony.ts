import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readSigner } from '../../src/config/secrets.js'
import type { Signer } from '../../src/keys/signer.js'
import { signDraft } from '../../src/tuf/draft.js'
import { initLog, tempFolder, type Teardown } from './cli.js'

/** A data directory whose TUF root keys, and targets keys if so wanted, are elsewhere: three each, two must sign. */
export interface CeremonySite {
  readonly dataDir: string
  /** Where the keys are. */
  readonly folder: string
  readonly root: readonly Signer[]
  /** Empty where they are in the data directory. */
  readonly targets: readonly Signer[]
}

export const CEREMONY_URL = 'http://127.0.0.1:3000'

export async function initWithCeremony(
  t: Teardown,
  flags: readonly string[] = ['--offline-targets']
): Promise<CeremonySite> {
  const folder = join(tempFolder(t), 'safe')
  const dataDir = await initLog(t, [
    '--public-url',
    CEREMONY_URL,
    '--ceremony',
    folder,
    '--root-keys',
    '3',
    '--root-threshold',
    '2',
    ...flags
  ])
  const signersOf = (prefix: string): readonly Signer[] =>
    readdirSync(folder)
      .filter((name) => name.startsWith(prefix) && name.endsWith('.pem') && !name.includes('.pub'))
      .map((name) => readSigner(join(folder, name), undefined))
  return { dataDir, folder, root: signersOf('tuf-root-'), targets: signersOf('tuf-targets-') }
}

/** The draft with the signatures of these. */
export async function signedBy(draft: string, signers: readonly Signer[]): Promise<string> {
  let signed = draft
  for (const signer of signers) signed = await signDraft(signed, signer)
  return signed
}
