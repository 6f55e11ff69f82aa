import { LogError } from '../errors.js'
import { type ZipMember, zipNameText } from './zip-directory.js'

/** What signs a JAR file. */
export interface JarSignatureFiles {
  readonly manifest: ZipMember
  /** `META-INF/X.SF`: digests of the manifest. */
  readonly signatureFile: ZipMember
  /** `META-INF/X.RSA` or another name: PKCS#7 over the signature file. */
  readonly signatureBlock: ZipMember
}

/** As in Rekor. A manifest of ten thousand files is as large. */
export const DEFAULT_MAX_JAR_METADATA_BYTES = 1 << 20

/** Where no limit is set. A manifest of as many files as a ZIP archive holds is as large, and it is held several times. */
export const MAX_JAR_METADATA_BYTES = 16 << 20

const FOLDER = 'META-INF/'
const BLOCK_EXTENSIONS: readonly string[] = ['.RSA', '.DSA', '.EC']

/**
 * Finds manifest, signature file and signature block: exactly one of each, the last two of one name. Names count in upper case.
 *
 * Rekor takes further blocks that belong to nothing, and logs the first of all, be it one that it did not verify. Here they are
 * refused.
 *
 * @param maxMetadataBytes what each file with a dot in its name directly in META-INF may declare
 * @throws LogError `invalid_request` with the texts of Rekor where it has them
 * @see JAR File Specification, "Signed JAR File"; rekor-v1 §8.7
 */
export function findJarSignature(
  members: readonly ZipMember[],
  maxMetadataBytes: number
): JarSignatureFiles {
  const files = members.flatMap(metadataFile)
  for (const { member } of files) {
    if (member.declaredBytes > maxMetadataBytes) {
      throw invalid(
        `uncompressed jar metadata of size ${member.declaredBytes} exceeds max allowed size ${maxMetadataBytes}`
      )
    }
  }
  const [manifest, secondManifest] = files.filter(({ name }) => name === 'MANIFEST.MF')
  const signatureFiles = files.filter(({ extension }) => extension === '.SF')
  const blocks = files.filter(isBlock)
  if (manifest === undefined) throw invalid('JAR contains no META-INF/MANIFEST.MF')
  if (secondManifest !== undefined) throw invalid('JAR contains two manifests')
  const signed = new Set(blocks.map(({ base }) => base))
  const unsigned = signatureFiles.find(({ base }) => !signed.has(base))
  if (unsigned !== undefined) {
    throw invalid(
      `JAR contains sigfile META-INF/${zipNameText(unsigned.base)}.SF with no matching signature`
    )
  }
  const [signatureFile, secondFile] = signatureFiles
  const [signatureBlock, secondBlock] = blocks
  if (signatureFile === undefined || signatureBlock === undefined) {
    throw invalid('JAR contains no signatures')
  }
  if (secondFile !== undefined || secondBlock !== undefined) {
    throw invalid('multiple signatures detected in JAR; unable to process')
  }
  return {
    manifest: manifest.member,
    signatureFile: signatureFile.member,
    signatureBlock: signatureBlock.member
  }
}

interface MetadataFile {
  readonly member: ZipMember
  /** In upper case, without the folder. */
  readonly name: string
  readonly base: string
  /** From the last dot on. */
  readonly extension: string
}

/** A file directly in META-INF whose name has a dot. */
function metadataFile(member: ZipMember): readonly MetadataFile[] {
  // Of ASCII only: what else is a letter depends on who is asked.
  const path = member.name.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
  const name = path.slice(FOLDER.length)
  const dot = name.lastIndexOf('.')
  if (!path.startsWith(FOLDER) || name.includes('/') || dot < 0) return []
  return [{ member, name, base: name.slice(0, dot), extension: name.slice(dot) }]
}

function isBlock({ name, extension }: MetadataFile): boolean {
  if (extension === '.SF' || name === 'MANIFEST.MF') return false
  return BLOCK_EXTENSIONS.includes(extension) || name.startsWith('SIG-')
}

function invalid(message: string): LogError {
  return new LogError('invalid_request', message)
}
