import t from 'tap'
import { encodeLogEntries, encodeLogEntry } from '../../src/http/log-entry-json.js'
import { renderLogEntry, type LoggedEntry } from '../../src/rekor/log-entry.js'
import { seededRandom } from '../helpers/random.js'

const random = seededRandom()
t.comment(`seed ${random.seed}`)

const NOTES = [
  'example.com - 1\n2\nAAAA\n\n\u2014 example.com AAAA\n',
  'p\u00fcblic.ex\u00e4mple \ud83d\ude00 "quoted" \\ \u2028 - 7\n1\nBBBB\n\n\u2014 x BBBB\n',
  'lone \ud800 surrogate, \u0000 \u001f \u007f \u0080 \u00ff',
  ''
]

function anEntry(): LoggedEntry {
  const treeSize = random.below(2 ** 32)
  return renderLogEntry({
    record: { treeId: String(1 + random.below(2 ** 31)), offset: random.below(2 ** 32) },
    logId: random.bytes(32),
    leaf: {
      leafIndex: random.below(2 ** 32),
      leafHash: random.bytes(32),
      leafValue: random.bytes(random.below(1200)),
      integratedTimeSeconds: random.below(2 ** 32),
      inclusionPromise: random.bytes(random.below(75))
    },
    checkpoint: { treeHead: { treeSize, rootHash: random.bytes(32) }, note: random.pick(NOTES) },
    inclusionProof: Array.from({ length: random.below(30) }, () => random.bytes(32)),
    attestation: random.below(3) === 0 ? random.bytes(random.below(5000)) : undefined
  })
}

/** What was sent when the whole of it went through JSON.stringify. */
function stringified(value: unknown): string {
  return Buffer.from(`${JSON.stringify(value)}\n`, 'utf8').toString('hex')
}

t.test('an entry: byte for byte what JSON.stringify writes', (t) => {
  for (let i = 0; i < 1000; i++) {
    const logged = anEntry()
    const want = stringified({ [logged.entryId]: logged.entry })
    if (encodeLogEntry(logged).toString('hex') !== want) t.fail(JSON.stringify(logged))
  }
  t.end()
})

t.test('and a list', (t) => {
  for (let i = 0; i < 200; i++) {
    const list = Array.from({ length: random.below(6) }, anEntry)
    const want = stringified(list.map(({ entryId, entry }) => ({ [entryId]: entry })))
    if (encodeLogEntries(list).toString('hex') !== want) t.fail(JSON.stringify(list))
  }
  t.equal(encodeLogEntries([]).toString(), '[]\n')
  t.end()
})
