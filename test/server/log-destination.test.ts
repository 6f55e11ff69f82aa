import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { createLogDestination } from '../../src/server/log-destination.js'

function messages(file: string): unknown[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { msg: unknown }).msg)
}

function openLog(t: Test): { file: string; logger: pino.Logger; flush: () => void } {
  const file = join(t.testdir(), 'log')
  const fd = openSync(file, 'w')
  const destination = createLogDestination(fd)
  t.teardown(() => {
    destination.flush()
    closeSync(fd)
  })
  return { file, logger: pino({}, destination), flush: destination.flush }
}

t.test('lines about requests wait, and come by themselves', async (t) => {
  const { file, logger } = openLog(t)
  logger.info('one')
  logger.info('two')
  t.strictSame(messages(file), [])
  while (messages(file).length === 0) await setTimeout(10)
  t.strictSame(messages(file), ['one', 'two'])
})

t.test('a warning is there at once, and what came before it', (t) => {
  for (const level of ['warn', 'error', 'fatal'] as const) {
    const { file, logger } = openLog(t)
    logger.info('before')
    logger.child({ of: 'a request' })[level]('bad')
    t.strictSame(messages(file), ['before', 'bad'], level)
    logger.info('after')
    t.strictSame(messages(file), ['before', 'bad'], 'the next one waits again')
  }
  t.end()
})

t.test('a line that is not from pino does not wait', (t) => {
  const file = join(t.testdir(), 'log')
  const fd = openSync(file, 'w')
  t.teardown(() => closeSync(fd))
  createLogDestination(fd).write('{"msg":"strange"}\n')
  t.strictSame(messages(file), ['strange'])
  t.end()
})

t.test('what waits is bounded', (t) => {
  const { file, logger, flush } = openLog(t)
  for (let i = 0; i < 1000; i++) logger.info(`line ${i}`)
  const written = messages(file).length
  t.ok(written > 500 && written < 1000, `${written} of 1000`)
  flush()
  t.strictSame(
    messages(file),
    Array.from({ length: 1000 }, (_, i) => `line ${i}`)
  )
  t.end()
})

const LAST_WORDS = `
  import { pino } from 'pino'
  import { createLogDestination } from './src/server/log-destination.js'
  const logger = pino({}, createLogDestination(2))
  logger.info('waiting')
`

t.test('nothing is lost when the process ends', (t) => {
  for (const [title, end] of [
    ['by itself', ''],
    ['by exit', 'process.exit(3)'],
    ['by what nobody caught', 'throw new Error("end")'],
    ['by a promise that nobody waited for', 'void Promise.reject(new Error("end"))']
  ] as const) {
    const { stderr } = spawnSync(
      process.execPath,
      [...process.execArgv, '--input-type=module', '--eval', LAST_WORDS + end],
      { encoding: 'utf8' }
    )
    t.match(stderr, /"msg":"waiting"/, title)
  }
  t.end()
})

t.test('a reader that is slow gets everything, one that is gone hurts nobody', async (t) => {
  const script = (lines: number) => `
    import { createLogDestination } from './src/server/log-destination.js'
    const destination = createLogDestination(2)
    for (let i = 0; i < ${lines}; i++) destination.write('{"level":30,"msg":"' + 'x'.repeat(1000) + '"}\\n')
  `
  const child = spawn(
    process.execPath,
    [...process.execArgv, '--input-type=module', '--eval', script(3000)],
    { stdio: ['ignore', 'ignore', 'pipe'] }
  )
  let characters = 0
  for await (const chunk of child.stderr) {
    characters += (chunk as Buffer).length
    if (characters < 200_000) await setTimeout(20)
  }
  t.equal(characters, 3000 * 1022)

  const gone = spawn(
    process.execPath,
    [...process.execArgv, '--input-type=module', '--eval', script(3000)],
    { stdio: ['ignore', 'ignore', 'pipe'] }
  )
  gone.stderr.destroy()
  const [code] = (await once(gone, 'exit')) as [number | null]
  t.equal(code, 0)
})
