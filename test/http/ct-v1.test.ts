import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { logNameOf } from '../../src/ct/signing.js'
import { createCtTree } from '../../src/ct/new-tree.js'
import { createLocalSigner, generateLogKey } from '../../src/keys/local-signer.js'
import { MAX_CT_BODY_BYTES } from '../../src/http/ct-v1.js'
import { createTestAuthority, ctApp, CT_NOW_MS, openTestCt } from '../helpers/ct-log.js'
import type { CheckedResponse } from '../helpers/inject-checked.js'

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const authority = await createTestAuthority()

/** A log with some entries and its API. */
async function site(t: Parameters<typeof openTestCt>[0], entries = 0) {
  const log = await openTestCt(t, { roots: () => [authority.root.der], maxForeignSubmissions: 2 })
  for (let i = 0; i < entries; i++) {
    await log.ct.submitOwn('precertificate', [
      await authority.issue('precertificate'),
      ...authority.chain
    ])
  }
  const { app, inject } = await ctApp(log.ct)
  const get = (path: string, query: Record<string, string> = {}) =>
    inject({ url: `${path}?${new URLSearchParams(query).toString()}` })
  const logName = logNameOf(log.ct.active.logId)
  return { ...log, app, inject, get, logName }
}

function problem({ status, headers, text }: CheckedResponse): string {
  return `${status} ${String(headers['content-type'])} ${text}`
}

t.test('submissions', async (t) => {
  const { inject, ct } = await site(t)
  const chain = [await authority.issue('precertificate'), ...authority.chain].map(base64)
  for (const headers of [{}, { 'content-type': 'text/plain' }, { 'content-type': 'x' }]) {
    const answer = await inject({
      method: 'POST',
      url: '/ct/v1/add-pre-chain',
      headers,
      body: JSON.stringify({ chain, more: 1 })
    })
    t.equal(answer.status, 200)
    t.match(answer.json, {
      sct_version: 0,
      id: base64(ct.active.logId),
      timestamp: CT_NOW_MS,
      extensions: '',
      signature: /^BAMA/
    })
  }
  const certificate = [await authority.issue('certificate'), ...authority.chain].map(base64)
  const added = await inject({
    method: 'POST',
    url: '/ct/v1/add-chain',
    body: { chain: certificate }
  })
  t.equal(added.status, 200)
  t.equal(ct.active.signedTreeHead().treeSize, 2)
})

t.test('submissions that are refused', async (t) => {
  const { inject, ct } = await site(t)
  const good = base64(await authority.issue('certificate'))
  const precertificate = base64(await authority.issue('precertificate'))
  const chain = authority.chain.map(base64)
  const cases: [name: string, body: unknown, expected: RegExp][] = [
    ['no body', undefined, /^400 text\/plain; charset=utf-8 Bad Request\nthe body is empty\n$/],
    ['not JSON', '{', /^400 .*Bad Request\nnot valid JSON/],
    ['not UTF-8', Buffer.from([0x7b, 0xff]), /^400 /],
    ['too deep', '['.repeat(200), /^400 .*\nJSON nested deeper than 100 levels/],
    ['a list', [], /^400 .*\nthe body is not a JSON object/],
    ['no chain', {}, /^400 .*\nchain is not a list/],
    ['chain null', { chain: null }, /^400 .*\nchain is not a list/],
    ['an empty chain', { chain: [] }, /^400 .*\nchain: empty/],
    ['numbers', { chain: [1] }, /^400 .*\nchain\[0\] is not text/],
    ['no base64', { chain: [good, '***'] }, /^400 .*\nchain\[1\]/],
    ['URL base64', { chain: ['_w=='] }, /^400 .*\nchain\[0\]/],
    ['no DER', { chain: ['AAAA'] }, /^400 .*\nchain\[0\]: x509: malformed/],
    [
      'a precertificate',
      { chain: [precertificate, ...chain] },
      /^400 .*\ncert \/ precert mismatch/
    ],
    [
      'no chain to a root',
      { chain: [good] },
      /^400 .*\nthe chain does not lead to an accepted root/
    ],
    ['too long', { chain: Array(11).fill(good) }, /^400 .*\nchain: 11 certificates, at most 10/],
    [
      'too large',
      `{"chain":["${'A'.repeat(MAX_CT_BODY_BYTES)}"]}`,
      /^413 .*Payload Too Large\nthe body is larger than 1048576 bytes\n$/
    ]
  ]
  for (const [name, body, expected] of cases) {
    const answer = await inject({ method: 'POST', url: '/ct/v1/add-chain', body })
    t.match(problem(answer), expected, name)
  }
  t.equal(ct.active.signedTreeHead().treeSize, 0)
})

t.test('too many strangers at once', async (t) => {
  const { inject } = await site(t)
  const chains = await Promise.all(
    Array.from({ length: 6 }, async () =>
      [await authority.issue('precertificate'), ...authority.chain].map(base64)
    )
  )
  const answers = await Promise.all(
    chains.map((chain) => inject({ method: 'POST', url: '/ct/v1/add-pre-chain', body: { chain } }))
  )
  const refused = answers.filter(({ status }) => status === 503)
  t.equal(answers.filter(({ status }) => status === 200).length + refused.length, 6)
  t.ok(refused.length > 0)
  for (const answer of refused) {
    t.equal(answer.headers['retry-after'], '1')
    t.match(problem(answer), /^503 .*Service Unavailable\n2 submissions are under way already\n$/)
  }
})

t.test('tree heads, proofs and entries under both addresses', async (t) => {
  const { get, logName, ct } = await site(t, 5)
  for (const base of ['/ct/v1', `/ctlog/${logName}/ct/v1`]) {
    const sth = await get(`${base}/get-sth`)
    t.match(sth.json, {
      tree_size: 5,
      timestamp: CT_NOW_MS,
      sha256_root_hash: base64(ct.active.signedTreeHead().rootHash)
    })
    t.match((await get(`${base}/get-sth-consistency`, { first: '2', second: '5' })).json, {
      consistency: [String, String]
    })
    for (const sizes of [
      { first: '0', second: '5' },
      { first: '4', second: '4' }
    ]) {
      t.strictSame((await get(`${base}/get-sth-consistency`, sizes)).json, { consistency: [] })
    }
    const entries = await get(`${base}/get-entries`, { start: '1', end: '2' })
    t.equal(entries.headers['cache-control'], 'public, max-age=86400')
    t.equal((entries.json as { entries: object[] }).entries.length, 2)
    const rest = await get(`${base}/get-entries`, { start: '3', end: '900' })
    t.equal(rest.headers['cache-control'], 'public, max-age=60')
    t.equal((rest.json as { entries: object[] }).entries.length, 2)
    const one = await get(`${base}/get-entry-and-proof`, { leaf_index: '1', tree_size: '5' })
    t.match(one.json, { ...(entries.json as { entries: object[] }).entries[0], audit_path: Array })
    t.strictSame((await get(`${base}/get-roots`)).json, {
      certificates: [base64(authority.root.der)]
    })
  }
})

t.test('questions that are refused', async (t) => {
  const { get, logName, database } = await site(t, 3)
  const [leaf] = await database.logStore((await database.trees('ct'))[0]?.treeId ?? '').leaves(0, 1)
  const hash = base64(leaf?.leafHash ?? new Uint8Array(0))
  const known = await get('/ct/v1/get-proof-by-hash', { hash, tree_size: '3' })
  t.match(known.json, { leaf_index: 0, audit_path: [String, String] })
  const cases: [path: string, query: Record<string, string>, expected: RegExp][] = [
    ['get-sth-consistency', {}, /^400 .*\nparameter 'first' is required/],
    ['get-sth-consistency', { first: '1' }, /^400 .*\nparameter 'second' is required/],
    [
      'get-sth-consistency',
      { first: 'x', second: '2' },
      /^400 .*\nparameter 'first' is not a number/
    ],
    [
      'get-sth-consistency',
      { first: '-1', second: '2' },
      /^400 .*\nparameter 'first' is not a number/
    ],
    ['get-sth-consistency', { first: '3', second: '2' }, /^400 .*\nfirst must be <= second/],
    [
      'get-sth-consistency',
      { first: '1', second: '4' },
      /^400 .*\nsecond is beyond the tree of size 3/
    ],
    [
      'get-sth-consistency',
      { first: '1', second: '9007199254740993' },
      /^400 .*\nparameter 'second' is not a number from 0 to/
    ],
    ['get-proof-by-hash', {}, /^400 .*\nparameter 'hash' is required/],
    ['get-proof-by-hash', { hash: '***', tree_size: '1' }, /^400 .*\nparameter 'hash'/],
    [
      'get-proof-by-hash',
      { hash: 'AAAA', tree_size: '1' },
      /^400 .*\nparameter 'hash' has 3 bytes, not 32/
    ],
    ['get-proof-by-hash', { hash, tree_size: '0' }, /^400 .*\ntree_size must be >= 1/],
    [
      'get-proof-by-hash',
      { hash, tree_size: '4' },
      /^404 .*Not Found\ntree_size is beyond the tree of size 3/
    ],
    [
      'get-proof-by-hash',
      { hash: base64(new Uint8Array(32)), tree_size: '3' },
      /^404 .*\nno entry with this hash/
    ],
    ['get-entries', { end: '1' }, /^400 .*\nparameter 'start' is required/],
    ['get-entries', { start: '0' }, /^400 .*\nparameter 'end' is required/],
    ['get-entries', { start: '2', end: '1' }, /^400 .*\nstart must be <= end/],
    ['get-entries', { start: '3', end: '9' }, /^400 .*\nstart is beyond the tree of size 3/],
    ['get-entries', { start: '-1', end: '9' }, /^400 .*\nparameter 'start' is not a number/],
    ['get-entry-and-proof', { leaf_index: '0' }, /^400 .*\nparameter 'tree_size' is required/],
    ['get-entry-and-proof', { leaf_index: '0', tree_size: '0' }, /^400 .*\ntree_size must be >= 1/],
    [
      'get-entry-and-proof',
      { leaf_index: '3', tree_size: '3' },
      /^400 .*\nleaf_index must be < tree_size/
    ],
    [
      'get-entry-and-proof',
      { leaf_index: '0', tree_size: '4' },
      /^400 .*\ntree_size is beyond the tree of size 3/
    ]
  ]
  for (const [path, query, expected] of cases) {
    for (const base of ['/ct/v1', `/ctlog/${logName}/ct/v1`]) {
      t.match(
        problem(await get(`${base}/${path}`, query)),
        expected,
        `${path} ${JSON.stringify(query)}`
      )
    }
  }
  t.match(
    problem(await get('/ctlog/0000000000000000/ct/v1/get-sth')),
    /^404 .*\nthere is no log of this name/
  )
  t.match(
    problem(await get('/ct/v1/get-sth-consistency?first=1&first=2&x')),
    /^400 .*\nparameter 'first' is repeated/
  )
})

t.test('an empty log', async (t) => {
  const { get } = await site(t)
  t.match((await get('/ct/v1/get-sth')).json, {
    tree_size: 0,
    sha256_root_hash: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
  })
  t.match(
    problem(await get('/ct/v1/get-entries', { start: '0', end: '0' })),
    /^400 .*\nstart is beyond the tree of size 0/
  )
})

t.test('other methods and other paths', async (t) => {
  const { inject } = await site(t)
  const wrong = await inject({ url: '/ct/v1/add-chain' })
  t.match(
    problem(wrong),
    /^405 text\/plain; charset=utf-8 Method Not Allowed\nmethod GET is not allowed, but POST is\n$/
  )
  t.equal(wrong.headers['allow'], 'POST')
  t.equal((await inject({ method: 'DELETE', url: '/ct/v1/get-sth' })).status, 405)
  t.equal((await inject({ url: '/ct/v1/nothing' })).status, 404)
})

t.test('a log whose successor takes the entries', async (t) => {
  const first = await site(t, 2)
  const { database, folder, logName } = first
  const head = first.ct.active.signedTreeHead()
  const signer = createLocalSigner(await generateLogKey())
  await createCtTree({
    database,
    hostname: 'ct.example',
    signer,
    keyName: 'next.pem',
    now: () => CT_NOW_MS,
    randomBytes: (length) => new Uint8Array(length).fill(9)
  })
  await first.close()
  const second = await openTestCt(t, { roots: () => [authority.root.der], folder, signer })
  const { inject } = await ctApp(second.ct)
  t.match((await inject({ url: '/ct/v1/get-sth' })).json, { tree_size: 0 })
  const closed = `/ctlog/${logName}/ct/v1`
  t.match((await inject({ url: `${closed}/get-sth` })).json, {
    tree_size: 2,
    tree_head_signature: base64(head.treeHeadSignature)
  })
  const chain = [await authority.issue('certificate'), ...authority.chain].map(base64)
  const refused = await inject({ method: 'POST', url: `${closed}/add-chain`, body: { chain } })
  t.match(problem(refused), /^403 .*Forbidden\nthis log takes no more entries\n$/)
  t.match(await second.check(), {
    trees: [
      { log: 'ct', treeSize: 2 },
      { log: 'ct', treeSize: 0 }
    ]
  })
})

t.test('a body without a media type, over a socket', async (t) => {
  const { app } = await site(t)
  t.teardown(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const chain = [await authority.issue('certificate'), ...authority.chain].map(base64)
  const status = await new Promise((resolve, reject) => {
    const request = httpRequest({ port, method: 'POST', path: '/ct/v1/add-chain' }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
    request.end(JSON.stringify({ chain }))
  })
  t.equal(status, 200)
})
