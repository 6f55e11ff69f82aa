// What a first `npm start` prints is pasted into a shell, line for line, with each generation of cosign in the PATH.
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { clientPath, runProgram } from './clients.js'
import type { Suite } from './clients.js'
import { startRefusingProxy } from './offline.js'
import { serve } from './server.js'
import { accepted, refused } from './session.js'

/** The printed section that each generation of cosign is for. */
const SECTIONS: Record<Suite, RegExp> = { trixie: /^# cosign 2\.5/, sid: /^# cosign 3\.1/ }

const dir = t.testdir({ trixie: {}, sid: {} })
const proxy = await startRefusingProxy()
const server = await serve(['start', '--data-dir', `${dir}/data`])
t.teardown(async () => {
  const status = await server.stop()
  await proxy.close()
  const attempts = proxy.attempts()
  if (attempts.length > 0) throw new Error(`clients tried to leave: ${attempts.join(', ')}`)
  if (status !== 0) throw new Error(`the server ended with ${status}:\n${server.output()}`)
})

const sections = sectionsOf(server.output())
const [preparation] = sections
if (preparation === undefined) throw new Error(`nothing to paste in:\n${server.output()}`)

for (const [suite, heading] of Object.entries(SECTIONS) as [Suite, RegExp][]) {
  t.test(suite, async (t) => {
    const section = sections.find(([title = '']) => heading.test(title))
    if (section === undefined) throw new Error(`no section for ${suite}`)
    const paste = (lines: readonly string[]) =>
      runProgram('bash', ['-e', '-c', lines.join('\n')], {
        cwd: `${dir}/${suite}`,
        env: {
          ...proxy.env,
          HOME: `${dir}/${suite}`,
          PATH: `${clientPath(suite, '.')}:${process.env['PATH'] ?? ''}`
        }
      })
    accepted(t, await paste(preparation), 'the lines that prepare')
    // The passphrase is exported by the first section; a new shell does not remember it.
    const passphrase = preparation.filter((line) => line.startsWith('export '))
    accepted(
      t,
      await paste([...passphrase, ...section]),
      'the lines that sign and verify',
      /Verified OK/
    )

    const verifying = section.filter((line) => / verify-blob /.test(line))
    t.equal(verifying.length, 1, 'one line verifies')
    const file = `${dir}/${suite}/hello.txt`
    writeFileSync(file, `${readFileSync(file, 'utf8')}changed\n`)
    refused(
      t,
      await paste(verifying),
      'the same line after a change',
      /matching bundle to payload|invalid signature when validating ASN\.1/
    )
  })
}

/** Runs of lines below a comment line each, with that comment first; from the first comment to the end. */
function sectionsOf(output: string): string[][] {
  const sections: string[][] = []
  for (const line of output.split('\n')) {
    // The server's own log is JSON and may stand between.
    if (line.startsWith('# ')) sections.push([line])
    else if (line !== '' && !line.startsWith('{')) sections.at(-1)?.push(line)
  }
  return sections
}
