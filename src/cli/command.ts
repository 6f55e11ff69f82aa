import type { JsonValue } from '../encoding/canonical-json.js'
import type { Config } from '../config/schema.js'
import type { Administration } from '../site/administration.js'

/** What a process exits with. */
export const EXIT = {
  ok: 0,
  /** It ran and failed: something is wrong, missing or refused. */
  failed: 1,
  /** The command line or the configuration is not one we can work with. */
  usage: 2
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A complaint about the command line itself, which exits with `EXIT.usage`. */
export class UsageError extends Error {}

/** A flag of one command, beside those that set configuration keys. */
export interface FlagSpec {
  /** Without dashes. */
  readonly name: string
  /** What stands for the value in the help, such as `FILE`; absent for a switch. */
  readonly value?: string
  readonly meaning: string
}

/** Where text goes. A process's own streams fit. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
}

/** A server that listens. */
export interface RunningServer {
  /** Base URL to give to clients. */
  readonly publicUrl: string
  /** URL of what listens here. */
  readonly listenUrl: string
  readonly metricsUrl: string | undefined
  /** The active tree, in decimal. */
  readonly treeId: string
  /** First line of its checkpoints. */
  readonly origin: string
  /** Hex. */
  readonly logId: string
  /** Since when its key signs. */
  readonly keyStartSeconds: number
  /** Whether it runs a certificate authority, and how many issuers of tokens that believes. */
  readonly hasAuthority: boolean
  readonly issuers: number
  /** Whether it signs timestamps. */
  readonly hasTimestamps: boolean
  /** Hex SHA-256 of the root of the TUF repository; undefined when there is none. */
  readonly rootSha256: string | undefined
  /** ID of the certificate log, hex; undefined when there is none. */
  readonly ctLogId: string | undefined
  /** Threads that answer requests beside the one that writes the log. */
  threads(): readonly {
    readonly isReady: boolean
    /** Connections: open now, and since it began. */
    readonly connections: number
    readonly taken: number
  }[]
  /** Orderly stop. Rejects when it could not be completed in time. */
  close(): Promise<void>
}

/** What the commands need from the world. */
export interface CliWorld {
  readonly stdout: Output
  readonly stderr: Output
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
  readonly stdin: AsyncIterable<Uint8Array>
  readonly startServer: (config: Config) => Promise<RunningServer>
  /** Opens a data directory on which no server runs, for commands that change it. */
  readonly openAdministration: (config: Config) => Promise<{
    readonly administration: Administration
    close(): Promise<void>
  }>
  /** Calls back at every request to stop (SIGTERM, SIGINT). Returns how to stop listening. */
  readonly onStopRequest: (listener: () => void) => () => void
  /** Ends the process now. */
  readonly exit: (code: number) => never
}

/** One call of one command. */
export interface CommandCall {
  /** Values of the command's own flags; a switch that was given is `''`. */
  readonly flags: ReadonlyMap<string, string>
  /** As many as the command declares. */
  readonly positionals: readonly string[]
  /** Reads file, environment and flags. @throws LogError `invalid_request` with all problems */
  readonly loadConfig: () => Config
  readonly json: boolean
  readonly world: CliWorld
  /** Prints the result once: text for people, or with `--json` the value on one line. */
  readonly print: (text: string, value: JsonValue) => void
  /** A remark on standard error, which is no part of the result. */
  readonly note: (text: string) => void
}

/** What a command's module exports; its name and summary are in the table of commands. */
export interface Command {
  /** Further lines for its own help. */
  readonly description?: string
  /** Names of positional arguments, all required. */
  readonly positionals?: readonly string[]
  readonly flags?: readonly FlagSpec[]
  /** Paths of the configuration keys it takes as flags; `all`, or none. */
  readonly config?: 'all' | readonly string[]
  run(call: CommandCall): Promise<ExitCode>
}
