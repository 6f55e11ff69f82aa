import type { JsonValue } from '../encoding/canonical-json.js'
import { withAdministration } from './administration.js'
import { type Command, EXIT } from './command.js'

export const statusCommand: Command = {
  description:
    'Of the server that runs on the data directory, or of the directory itself. Everything that can expire is listed, what\n' +
    'ends first in front. Exit status 1 when something has expired.',
  config: 'all',
  run: async (call) => {
    const config = call.loadConfig()
    const { report, isRunning } = await withAdministration(
      call,
      config,
      async (administration, running) => ({
        report: await administration.status(),
        isRunning: running
      })
    )
    const { publicUrl, version, trees, rootSha256, isPending, staged, calendar } = report
    const lines = [
      `sigstead ${version} ${isRunning ? 'runs' : 'does not run'}, ${publicUrl}`,
      ...trees.map(
        ({ log, treeId, origin, treeSize }) =>
          `${log.padEnd(9)} tree ${treeId} with ${treeSize} entries (${origin})`
      )
    ]
    if (rootSha256 !== undefined) lines.push(`root.json SHA-256 ${rootSha256}`)
    if (staged !== undefined) {
      lines.push(`waiting   the rotation of ${staged}, until its targets draft is published`)
    }
    if (isPending) {
      lines.push(
        'waiting   trust material that must be signed elsewhere: sigstead tuf targets draft'
      )
    }
    for (const { what, expiresSeconds, daysLeft, state } of calendar) {
      const mark = { ok: '         ', soon: 'SOON     ', expired: 'EXPIRED  ' }[state]
      const time = new Date(expiresSeconds * 1000).toISOString()
      lines.push(
        `${mark} ${what} ${daysLeft < 0 ? `ended ${time}, ${-daysLeft} days ago` : `ends ${time}, in ${daysLeft} days`}`
      )
    }
    call.print(lines.join('\n'), {
      isRunning,
      publicUrl,
      version,
      isPending,
      trees: trees.map((tree) => ({ ...tree })),
      calendar: calendar.map((entry) => ({ ...entry })),
      ...(rootSha256 === undefined ? {} : { rootSha256 }),
      ...(staged === undefined ? {} : { staged })
    } satisfies Record<string, JsonValue>)
    return calendar.some(({ state }) => state === 'expired') ? EXIT.failed : EXIT.ok
  }
}
