import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { LogError } from '../errors.js'
import { CONFIG_FILE_VARIABLE, type ConfigInput, parseConfig } from './parse.js'
import type { Config } from './schema.js'

/** Far above any real configuration; YAML aliases are off, so size bounds the work. */
const MAX_FILE_BYTES = 1024 * 1024

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the configuration of this process: the file named by `--config` or SIGSTEAD_CONFIG, the environment, flags.
 *
 * @param flags without dashes; `config` names the file
 * @throws LogError `invalid_request` with every problem, one a line
 */
export function loadConfig(
  flags: Readonly<Record<string, string>>,
  environment: Environment
): Config {
  const { config: flagFile, ...rest } = flags
  const fileName = flagFile ?? environment[CONFIG_FILE_VARIABLE]
  const input: ConfigInput = { environment, flags: rest }
  return parseConfig(fileName === undefined ? input : { ...input, file: readConfigFile(fileName) })
}

function readConfigFile(fileName: string): unknown {
  return parseYaml(readText(fileName), fileName)
}

function readText(fileName: string): string {
  let text: string
  try {
    text = readFileSync(fileName, 'utf8')
  } catch (err) {
    const { code } = err as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : (code ?? 'unknown error')
    throw new LogError('invalid_request', `config: cannot read ${fileName}: ${why}`, { cause: err })
  }
  if (text.length > MAX_FILE_BYTES) {
    throw new LogError(
      'invalid_request',
      `config: ${fileName} is larger than ${MAX_FILE_BYTES} bytes`
    )
  }
  return text
}

/** The value of a YAML 1.2 document. @throws LogError `invalid_request` with every syntax error, one a line */
export function parseYaml(text: string, fileName: string): unknown {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true })
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) {
    const lines = faults.map(
      ({ message }) => `config: ${fileName}: ${(message.split('\n')[0] ?? '').replace(/:$/, '')}`
    )
    throw new LogError('invalid_request', lines.join('\n'))
  }
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (err) {
    throw new LogError('invalid_request', `config: ${fileName}: aliases are not allowed`, {
      cause: err
    })
  }
}
