import t from 'tap'
import { didYouMean } from '../../src/config/near-miss.js'

const names = ['listen', 'metricsListen', 'dataDir', 'log.batch.maxAgeMs', 'ab']

t.test('names the likely candidate', async (t) => {
  const cases: [word: string, expected: string][] = [
    ['lisen', 'listen'],
    ['lsiten', 'listen'],
    ['Listen', 'listen'],
    ['datadir', 'dataDir'],
    ['data-dir', 'dataDir'],
    ['log.bacth.maxAgeMs', 'log.batch.maxAgeMs'],
    ['metricListen', 'metricsListen'],
    ['aa', 'ab']
  ]
  for (const [word, expected] of cases) {
    t.equal(didYouMean(word, names), ` (did you mean ${expected}?)`, word)
  }
})

t.test('stays silent where a guess would be noise', async (t) => {
  for (const word of ['', 'postgres', 'xy', 'l', 'x'.repeat(100_000)]) {
    t.equal(didYouMean(word, names), '', word.slice(0, 20))
  }
  t.equal(didYouMean('listen', []), '')
})
