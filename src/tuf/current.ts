import type { Root, TargetFile, Targets } from '@tufjs/models'
import { LogError } from '../errors.js'
import type { MetadataText, TufRepository, TufTarget } from './contract.js'
import { parseMetadata } from './metadata.js'
import { hashedName } from './target-files.js'

/** The newest root. @throws LogError `integrity` when there is none */
export function currentRoot({ roots }: Pick<TufRepository, 'roots'>): Root {
  const text = roots.at(-1)
  if (text === undefined) throw new LogError('integrity', 'the TUF repository has no root')
  return parseMetadata('root', text).signed
}

/** The newest targets metadata. */
export function currentTargets({ targets }: Pick<TufRepository, 'targets'>): Targets {
  return parseMetadata('targets', newest(targets, 'targets').text).signed
}

/** The newest of a list. @throws LogError `integrity` when there is none */
export function newest(list: readonly MetadataText[], what: string): MetadataText {
  const [first] = list
  if (first === undefined) throw new LogError('integrity', `the TUF repository has no ${what}`)
  return first
}

/** The files that the newest targets metadata names. */
export function publishedTargets(repository: TufRepository): readonly TufTarget[] {
  return Object.values(currentTargets(repository).targets).map((file) => ({
    name: file.path,
    bytes: contentOf(repository, file),
    ...(file.unrecognizedFields.custom === undefined ? {} : { custom: file.custom })
  }))
}

function contentOf({ files }: TufRepository, file: TargetFile): Uint8Array {
  const bytes = files.get(hashedName(file))
  if (bytes === undefined) {
    throw new LogError('integrity', `the TUF repository lacks the file ${hashedName(file)}`)
  }
  return bytes
}
