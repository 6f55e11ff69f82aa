import t from 'tap'
import { createRekorApp } from '../helpers/rekor-app.js'
import { ENTRIES, INDEX, messageOf, RETRIEVE, VECTOR_NAMES } from '../helpers/rekor-client-check.js'
import { CHANGES, changed, computedVector, pathsOf } from '../helpers/vectors.js'

/** Values on top of those the golden answers have. */
const MORE: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  negative: -1,
  fraction: 0.5,
  unsafe: 2 ** 60,
  emptyItem: [''],
  objectItem: [{}],
  list: Array(1000).fill(null),
  text: 'x',
  spaces: ' \t\n',
  nul: '\u0000',
  surrogate: '\ud800',
  long: 'A'.repeat(100_000),
  inherited: { toString: null, constructor: [], ['__proto__']: 1 },
  deep: nested(60)
}

function nested(levels: number): unknown {
  let value: unknown = {}
  for (let i = 0; i < levels; i++) value = { a: [value] }
  return value
}

type Path = readonly (string | number)[]

/** `base` with every change at every path, and what to call it. */
function* matrix(base: unknown): Generator<readonly [string, unknown]> {
  for (const path of pathsOf(base)) {
    for (const change of CHANGES)
      yield [`${path.join('.')}: ${change}`, changed(base, path, change)]
    for (const [name, value] of Object.entries(MORE)) {
      yield [`${path.join('.')}: ${name}`, replaced(base, path, value)]
    }
  }
  for (const value of [null, [], [null], 0, '', 'x', true, ...Object.values(MORE)]) {
    yield [`instead of all: ${JSON.stringify(value)?.slice(0, 20)}`, value]
  }
}

function replaced(base: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(base)
  let parent = copy as Record<string | number, unknown>
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<string | number, unknown>
  parent[path.at(-1) ?? ''] = value
  return copy
}

// One log for all: whatever happened before, it must still answer.
t.test('nothing a client sends is a failure of the server', async (t) => {
  const { inject, app } = await createRekorApp(t)
  const send = async (url: string, body: unknown) =>
    inject({ method: 'POST', url, body: JSON.stringify(body) })

  for (const name of VECTOR_NAMES) {
    t.test(`proposed entry ${name}`, async (t) => {
      let refused = 0
      for (const [what, body] of matrix(computedVector(name).proposedEntry)) {
        const answer = await send(ENTRIES, body)
        const accepted = answer.status === 201 || answer.status === 409
        if (!accepted) refused++
        if (
          !accepted &&
          (answer.status < 400 || answer.status >= 500 || messageOf(answer).length > 1000)
        ) {
          t.fail(`${what}: ${answer.status} ${answer.text.slice(0, 300)}`)
        }
      }
      t.ok(refused > 100, `${refused} refused`)
    })
  }

  t.test('retrieve', async (t) => {
    const uuid = '0'.repeat(64)
    const base = {
      entries: [
        computedVector('hashedrekord-model').proposedEntry,
        computedVector('dsse-single').proposedEntry
      ],
      entryUUIDs: [uuid, `${'0'.repeat(15)}1${uuid}`],
      logIndexes: [0, 1]
    }
    let count = 0
    for (const [what, body] of matrix(base)) {
      const { status, text } = await send(RETRIEVE, body)
      if (![200, 400, 422].includes(status)) t.fail(`${what}: ${status} ${text.slice(0, 300)}`)
      count++
    }
    t.ok(count > 300, `${count} bodies`)
  })

  t.test('index', async (t) => {
    const base = {
      email: 'a@b.example',
      hash: `sha256:${'0'.repeat(64)}`,
      operator: 'and',
      publicKey: { format: 'x509', content: 'AAAA' },
      subject: 'https://a.example'
    }
    let count = 0
    for (const format of ['x509', 'pgp', 'minisign', 'ssh', 'tuf']) {
      const withFormat = { ...base, publicKey: { ...base.publicKey, format } }
      for (const [what, body] of [
        ...matrix(withFormat),
        ...matrix({ publicKey: withFormat.publicKey })
      ]) {
        const { status, text } = await send(INDEX, body)
        if (![200, 400, 422].includes(status)) t.fail(`${what}: ${status} ${text.slice(0, 300)}`)
        count++
      }
    }
    t.ok(count > 500, `${count} bodies`)
  })

  t.test('queries', async (t) => {
    const values = [
      '',
      '0',
      '-1',
      '1.5',
      '1e3',
      '0x1',
      'abc',
      ' ',
      '%00',
      '%F0%9F%98%80',
      '9'.repeat(19),
      '9'.repeat(500),
      'null',
      '[]'
    ]
    for (const value of values) {
      for (const url of [
        `${ENTRIES}?logIndex=${value}`,
        `${ENTRIES}?logIndex=${value}&logIndex=${value}`,
        `/api/v1/log/proof?firstSize=${value}&lastSize=1`,
        `/api/v1/log/proof?firstSize=1&lastSize=${value}`,
        `/api/v1/log/proof?lastSize=1&treeID=${value}`,
        `/api/v1/log/publicKey?treeID=${value}`,
        `/log-statement/${value}`,
        `${ENTRIES}/${value}`
      ]) {
        const { status } = await inject({ url })
        if (status >= 500) t.fail(`${url}: ${status}`)
      }
    }
    t.equal((await inject({ url: '/ping' })).status, 200)
  })

  t.equal((await app.inject({ url: '/api/v1/log' })).statusCode, 200, 'and it still works')
})
