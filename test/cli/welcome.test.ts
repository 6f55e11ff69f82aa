import { execFileSync } from 'node:child_process'
import t from 'tap'
import type { RunningServer } from '../../src/cli/command.js'
import { cosignLines, welcomeText, welcomeValue } from '../../src/cli/welcome.js'

const server: RunningServer = {
  publicUrl: 'https://rekor.example.com/base',
  listenUrl: 'http://127.0.0.1:3000',
  metricsUrl: 'http://127.0.0.1:2112',
  treeId: '42',
  origin: 'rekor.example.com - 42',
  logId: 'ab'.repeat(32),
  keyStartSeconds: 1_700_000_000,
  hasAuthority: true,
  issuers: 2,
  hasTimestamps: true,
  ctLogId: '0123456789abcdef'.repeat(4),
  rootSha256: 'cd'.repeat(32),
  threads: () => [],
  close: async () => undefined
}

t.test('addresses', async (t) => {
  const text = welcomeText(server)
  t.match(
    text,
    /^Rekor API {3}https:\/\/rekor\.example\.com\/base \(listening on http:\/\/127\.0\.0\.1:3000\)$/m
  )
  t.match(text, /^Health {6}http:\/\/127\.0\.0\.1:3000\/healthz$/m)
  t.match(text, /^Metrics {5}http:\/\/127\.0\.0\.1:2112\/metrics$/m)
  const local = welcomeText({ ...server, publicUrl: server.listenUrl, metricsUrl: undefined })
  t.match(local, /^Rekor API {3}http:\/\/127\.0\.0\.1:3000$/m)
  t.match(local, /^Metrics {5}off$/m)
  t.match(text, /^Fulcio API {2}https:\/\/rekor\.example\.com\/base$/m)
  t.match(text, /^Issuers {5}2 \(https:\/\/rekor\.example\.com\/base\/api\/v2\/configuration\)$/m)
  t.match(text, /^CT log {6}https:\/\/rekor\.example\.com\/base\/ctlog\/0123456789abcdef$/m)
  t.match(
    welcomeText({ ...server, issuers: 0 }),
    /^Issuers {5}none: no certificate can be issued until --ca-issuers-file/m
  )
  t.match(text, /^Timestamps {2}https:\/\/rekor\.example\.com\/base\/api\/v1\/timestamp$/m)
  t.match(text, /^TUF mirror {2}https:\/\/rekor\.example\.com\/base\/tuf$/m)
  t.match(text, /^Root {8}SHA-256 of root\.json (cd){32}$/m)
  t.match(text, /^Clients {5}https:\/\/rekor\.example\.com\/base\/bootstrap$/m)
  const alone = welcomeText({
    ...server,
    hasAuthority: false,
    hasTimestamps: false,
    ctLogId: undefined,
    rootSha256: undefined
  })
  t.notMatch(alone, /Fulcio|Issuers|CT log|Timestamps|TUF|Root|Clients/)
  t.match(welcomeValue(server), {
    publicUrl: server.publicUrl,
    treeId: '42',
    rootSha256: server.rootSha256
  })
})

t.test('the lines for cosign name this server and nothing else', async (t) => {
  const lines = cosignLines(server).split('\n')
  const commands = lines.filter((line) => /cosign (sign-blob|trusted-root)|^curl/.test(line))
  t.equal(commands.length, 4)
  for (const line of commands) t.match(line, 'https://rekor.example.com/base', line)
  t.ok(lines.some((line) => line.includes('start-time=2023-11-14T22:13:20Z')))
})

t.test('a shell reads them as they are meant', async (t) => {
  const hostile = `http://127.0.0.1:3000/a'b$(exit 9);&\`x`
  for (const publicUrl of [server.publicUrl, hostile]) {
    // Every command replaced by one that prints its words.
    const script = `show() { printf '<%s>\\n' "$@"; }
      ${cosignLines({ ...server, publicUrl })
        .replace(/^(SIGSTORE\S+ )?(cosign|curl) /gm, 'show $1$2 ')
        .replace(/^echo.*$/m, '')}`
    const words = execFileSync('bash', ['-e', '-c', script]).toString()
    t.equal(words.split(`<${publicUrl}>`).length - 1, 2, publicUrl)
    t.ok(words.includes(`<${publicUrl}/api/v1/log/publicKey>`))
    t.ok(words.includes(`<--rekor=url=${publicUrl},public-key=rekor.pub,start-time=`))
  }
})
