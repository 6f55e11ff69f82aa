import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { clientPath, type Outcome, REPOSITORY, runProgram, type Suite } from './clients.js'
import { EMAIL } from './keyless.js'
import type { Session } from './session.js'

/** What `/bootstrap.json` says, as far as newcomers read it. */
export interface Bootstrap {
  readonly tuf: {
    readonly mirrorUrl: string
    readonly rootUrl: string
    readonly rootSha256: string
  }
  readonly files: readonly {
    readonly name: string
    readonly url: string
    readonly sha256: string
  }[]
  readonly archiveUrl: string
  readonly clients: readonly { readonly id: string; readonly lines: string }[]
}

/** Somebody with an empty home and one generation of the clients, who reads what the server says and pastes it into a shell. */
export interface Newcomer {
  readonly bootstrap: Bootstrap
  /** Where the files guide puts the files, and all other lines run. */
  readonly dir: string
  /** Lines of a client, with the name of whoever signs here in the place that is left for it. */
  guide(id: string): readonly string[]
  /** Runs lines in one shell that stops at the first that fails. @param env over all others */
  paste(lines: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome>
  /** Writes a file into `dir`. */
  write(name: string, content: string | Uint8Array): void
  read(name: string): string
  /** Another with the same files, and again an empty home. */
  twin(name: string): Newcomer
}

/** The line of a guide in which everybody puts a name of their own. */
const WHO = 'WHO=you@example.com'

/** Folder that the files guide makes. */
const FILES_PLACE = '/sigstead-trust'

/** @throws Error when the server does not answer, or not with its own hash */
export async function readBootstrap(url: string): Promise<Bootstrap> {
  const answer = await fetch(`${url}/bootstrap.json`)
  if (answer.status !== 200) throw new Error(`bootstrap.json answered ${answer.status}`)
  const bootstrap = (await answer.json()) as Bootstrap
  const root = Buffer.from(await (await fetch(bootstrap.tuf.rootUrl)).arrayBuffer())
  const hash = createHash('sha256').update(root).digest('hex')
  if (hash !== bootstrap.tuf.rootSha256) throw new Error(`root.json has SHA-256 ${hash}`)
  return bootstrap
}

/**
 * A newcomer to the server of `session`, with the files of its files guide.
 *
 * @param name of a folder of this session
 * @throws Error when the lines of the files guide do not do what they are for
 */
export async function newcomer(session: Session, suite: Suite, name: string): Promise<Newcomer> {
  const bootstrap = await readBootstrap(session.server.url)
  const start = enter(session, suite, { bootstrap, name, place: '' })
  const fetched = await start.paste(start.guide('files'))
  if (fetched.status !== 0 || !fetched.stdout.includes('root.json: OK')) {
    throw new Error(`the files: ${fetched.stdout}${fetched.stderr}`)
  }
  return enter(session, suite, { bootstrap, name, place: FILES_PLACE })
}

/** The same without the files. */
export function withoutFiles(
  session: Session,
  suite: Suite,
  name: string,
  bootstrap: Bootstrap
): Newcomer {
  return enter(session, suite, { bootstrap, name, place: FILES_PLACE })
}

interface Place {
  readonly bootstrap: Bootstrap
  readonly name: string
  readonly place: string
}

function enter(session: Session, suite: Suite, { bootstrap, name, place }: Place): Newcomer {
  const home = `${session.dir}/${name}`
  const dir = `${home}${place}`
  mkdirSync(dir, { recursive: true })
  return {
    bootstrap,
    dir,
    guide(id) {
      const found = bootstrap.clients.find((client) => client.id === id)
      if (found === undefined) throw new Error(`no lines for ${id}`)
      return found.lines
        .trimEnd()
        .split('\n')
        .map((line) => (line === WHO ? `WHO=${EMAIL}` : line))
    },
    paste: (lines, env = {}) =>
      runProgram('bash', ['-e', '-c', lines.join('\n')], {
        cwd: dir,
        env: {
          ...session.proxyEnv,
          NO_PROXY: '127.0.0.1',
          HOME: home,
          PATH: `${clientPath(suite, '.')}:${process.env['PATH'] ?? ''}`,
          ...env
        }
      }),
    write: (file, content) => writeFileSync(`${dir}/${file}`, content),
    read: (file) => readFileSync(`${dir}/${file}`, 'utf8'),
    twin(other) {
      const there = enter(session, suite, { bootstrap, name: other, place })
      for (const file of bootstrap.files)
        copyFileSync(`${dir}/${file.name}`, `${there.dir}/${file.name}`)
      return there
    }
  }
}

/** The packages of this repository, in place of what the line of a guide would fetch. */
export const INSTALLED = `ln -sfn ${REPOSITORY}node_modules node_modules`
