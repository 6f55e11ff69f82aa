// The Dockerfile and the compose file, as far as they can be held to account without a container engine: what they
// copy exists, what they set is known, and what they promise about privileges is in them.
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { configKeys } from '../src/config/schema.js'

interface Instruction {
  readonly name: string
  readonly text: string
}

/** Instructions of a Dockerfile, one list per stage, with continued lines joined. */
function stages(): Instruction[][] {
  const lines = readFileSync('Dockerfile', 'utf8')
    .replace(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
  const all: Instruction[][] = []
  for (const line of lines) {
    const [, name, text] = /^([A-Z]+) (.*)$/.exec(line) ?? []
    if (name === undefined || text === undefined) continue
    if (name === 'FROM') all.push([])
    all.at(-1)?.push({ name, text })
  }
  return all
}

const [build = [], runtime = [], ...more] = stages()
const of = (stage: readonly Instruction[], name: string) =>
  stage.filter((instruction) => instruction.name === name).map(({ text }) => text)

interface Service {
  readonly environment: Record<string, string>
  readonly ports: string[]
  readonly volumes: string[]
  readonly healthcheck: { readonly test: string[] }
  readonly stop_grace_period: string
  readonly read_only: boolean
  readonly tmpfs: string[]
  readonly cap_drop: string[]
  readonly security_opt: string[]
}
const compose = parse(readFileSync('docker-compose.yml', 'utf8')) as {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}
const service = compose.services['sigstead']

t.test('stages', async (t) => {
  t.equal(more.length, 0, 'two stages')
  t.match(of(build, 'FROM')[0], / AS build$/)
  t.notMatch(of(runtime, 'RUN').join('\n'), /apt-get|npm/, 'nothing is installed in the last one')
})

t.test('everything copied exists and reaches the build', async (t) => {
  const [everything, ...lines] = readFileSync('.dockerignore', 'utf8').trim().split('\n')
  t.equal(everything, '*', 'only what is listed reaches the build')
  const context = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  t.same(
    lines.filter((line) => !line.startsWith('!')),
    ['native/build'],
    'what was built for this machine does not'
  )
  const copied = [...build, ...runtime]
    .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from='))
    .flatMap(({ text }) => text.split(' ').slice(0, -1))
  t.not(copied.length, 0)
  for (const path of copied) {
    t.ok(existsSync(path), `${path} exists`)
    t.ok(context.includes(path), `${path} is not ignored`)
  }
  t.same([...new Set(copied)].toSorted(), context.toSorted(), 'nothing is sent for no use')
  const published = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] }
  const runtimeFiles = of(runtime, 'COPY').join(' ')
  for (const folder of published.files.filter((path) => !/^!|\.md$/.test(path))) {
    t.match(runtimeFiles, folder, `${folder} is in the image as it is in the package`)
  }
})

t.test('variables are configuration keys', async (t) => {
  const known = configKeys().map(({ environment }) => environment)
  const named = [
    ...of(runtime, 'ENV').flatMap((text) => text.match(/SIGSTEAD_\w+/g) ?? []),
    ...Object.keys(service?.environment ?? {})
  ]
  t.not(named.length, 0)
  for (const name of named) t.ok(known.includes(name), name)
})

t.test('the server is not root, and is asked how it is', async (t) => {
  t.same(of(runtime, 'USER'), ['node'])
  t.same(of(runtime, 'VOLUME'), ['/data'])
  t.same(of(runtime, 'EXPOSE'), ['3000 2112'])
  t.same(of(runtime, 'ENTRYPOINT'), ['["node", "dist/main.js"]'])
  const order = runtime.map(({ name }) => name)
  t.ok(
    order.lastIndexOf('RUN') < order.indexOf('USER'),
    'the data directory is made before root is left'
  )
  const [, command = ''] = /CMD (\[.*\])$/.exec(of(runtime, 'HEALTHCHECK')[0] ?? '') ?? []
  t.same(service?.healthcheck.test, ['CMD', ...(JSON.parse(command) as string[])])
})

t.test('the compose file gives no more than is needed', async (t) => {
  t.match(service, {
    read_only: true,
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    volumes: ['data:/data']
  })
  for (const port of service?.ports ?? []) t.match(port, /^127\.0\.0\.1:/, `${port}: loopback only`)
  t.hasProp(compose.volumes, 'data')
  const shutdown = configKeys().find(({ path }) => path === 'shutdownMs')?.key
  const shutdownMs = shutdown?.type === 'integer' ? shutdown.default : NaN
  t.ok(
    Number.parseInt(service?.stop_grace_period ?? '', 10) * 1000 > shutdownMs,
    'time enough to stop'
  )
})
