import { readFileSync } from 'node:fs'
import { LogError } from '../errors.js'

/** Content of a file that a key of the configuration names. @throws LogError `invalid_request` naming both */
export function readTextFile(key: string, fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8')
  } catch (err) {
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    throw new LogError('invalid_request', `${key} ${fileName} cannot be read: ${code}`, {
      cause: err
    })
  }
}
