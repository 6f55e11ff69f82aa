// Which source file a test answers for. Formats (pure code over bytes) are held to 100 % coverage by the
// runner; everything else is proved by its behaviour tests and not counted.
import { existsSync } from 'node:fs'

const FORMATS = ['encoding', 'merkle', 'note', 'keys', 'x509', 'archive', 'entries']

/** Format modules below 100 %, each with the reason. */
const EXCEPTIONS = new Map(
  process.env.TEST_WITHOUT_NATIVE === '1'
    ? ['native-crypto', 'public-key', 'verify'].map((name) => [
        `src/keys/${name}.ts`,
        'what uses the addon does not run where there is none'
      ])
    : []
)

export default (testFile) => {
  const match = /^test\/(.+)\.test\.ts$/.exec(testFile)
  if (match === null) return null
  const source = `src/${match[1]}.ts`
  const folder = match[1].split('/')[0]
  if (!FORMATS.includes(folder) || EXCEPTIONS.has(source) || !existsSync(source)) return null
  return source
}
