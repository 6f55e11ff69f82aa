import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { loadIdentityConfig } from '../ca/identity/config/load.js'
import { createFetch } from '../ca/identity/keys/fetch.js'
import { createIdentityVerifier, type IdentityExplanation } from '../ca/identity/verifier.js'
import { decodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { type FulcioExtension, listFulcioExtensions } from '../x509/fulcio-extensions.js'
import { type CliWorld, type Command, EXIT, UsageError } from './command.js'
import { readStream } from './read-stream.js'

/** A little above the longest token there may be, so that it is the check of the token that says so. */
const MAX_TOKEN_FILE_BYTES = 128 * 1024

export const caExplainTokenCommand: Command = {
  description:
    'FILE holds one ID token; - reads it from standard input. Runs the checks of the server, in its order and with its\n' +
    'code, says what each found, and what the certificate would say. Issues nothing, logs nothing, and asks no server\n' +
    'but the issuer, where its keys are not in a file. Exits with 1 when the token would be refused.',
  positionals: ['FILE'],
  config: ['ca.issuersFile'],
  run: async ({ loadConfig, positionals, print, note, world }) => {
    const { issuersFile } = loadConfig().ca
    if (issuersFile === undefined) {
      throw new UsageError(
        'no issuers are configured, so every token is refused: give --ca-issuers-file FILE'
      )
    }
    const [path = ''] = positionals
    const token = await readTokenFile(path, world)
    const verifier = createIdentityVerifier({
      config: await loadIdentityConfig(issuersFile, readFile),
      fetchBytes: createFetch(),
      readFile,
      nowSeconds: () => Math.floor(world.now() / 1000),
      onProblem: note
    })
    const explanation = await verifier.explain(token)
    print(explanationText(explanation), explanationValue(explanation))
    return explanation.identity === undefined ? EXIT.failed : EXIT.ok
  }
}

/** White space around a token comes from editors and `echo`; inside it nothing is forgiven. */
async function readTokenFile(path: string, { stdin }: CliWorld): Promise<string> {
  try {
    const stream = path === '-' ? stdin : createReadStream(path)
    return decodeUtf8(await readStream(stream, MAX_TOKEN_FILE_BYTES)).trim()
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException
    const why = isLogError(err) ? message : (code ?? 'unknown error')
    throw new LogError('invalid_request', `token file ${path} cannot be read: ${why}`, {
      cause: err
    })
  }
}

const MARKS = { passed: 'ok     ', refused: 'REFUSED', 'not reached': '-      ' } as const

function explanationText({ checks, challenge, identity }: IdentityExplanation): string {
  const lines = checks.map(({ title, outcome, detail }) => {
    return `${MARKS[outcome]}  ${title}${detail === '' ? '' : `: ${detail}`}`
  })
  if (identity === undefined) return [...lines, '', 'would be refused'].join('\n')
  const { kind, value } = identity.subjectAlternativeName
  return [
    ...lines,
    '',
    'would be issued, once the client has proven possession of its key:',
    `challenge                 ${challenge ?? ''}`,
    `subject alternative name  ${kind} ${value}`,
    ...extensionsOf(identity).map(({ oid, name, text }) => `${oid.padEnd(24)}  ${name}: ${text}`)
  ].join('\n')
}

function explanationValue({ checks, challenge, identity }: IdentityExplanation) {
  return {
    issued: identity !== undefined,
    checks: checks.map((report) => ({ ...report })),
    ...(challenge === undefined ? {} : { challenge }),
    ...(identity === undefined
      ? {}
      : {
          subjectAlternativeName: { ...identity.subjectAlternativeName },
          extensions: extensionsOf(identity).map((extension) => ({ ...extension }))
        })
  }
}

function extensionsOf({
  extensions
}: NonNullable<IdentityExplanation['identity']>): readonly FulcioExtension[] {
  return listFulcioExtensions(extensions)
}
