import { readFileSync } from 'node:fs'
import t from 'tap'
import { createContract, loadRekorV1Contract, type SchemaNode } from '../../src/http/contract.js'
import { stubApp } from '../helpers/stub-app.js'

const handler = async () => 'x'

t.test('every operation of the document has a route, and there is no other route', async (t) => {
  const contract = loadRekorV1Contract()
  t.equal(contract.operations.length, 15)
  t.equal(contract.unbound().length, contract.operations.length, 'nothing is bound at first')
  const { app } = await stubApp({}, { contract })
  t.strictSame(contract.unbound(), [], 'createApp binds all')
  for (const { method, path } of contract.operations) {
    const url = path.replace(/\{(\w+)\}/g, ':$1')
    t.ok(app.hasRoute({ method: method as 'GET', url }), `${method} ${path}`)
  }
  const methods = [...app.printRoutes({ commonPrefix: false }).matchAll(/\(([A-Z, ]+)\)/g)]
  const routes = methods.flatMap(([, names = '']) => names.split(', '))
  t.equal(routes.length, contract.operations.length)
})

t.test('a route needs an operation, once', async (t) => {
  const contract = loadRekorV1Contract()
  t.throws(() => contract.route('inventedOperation', handler), /no operation inventedOperation/)
  const { method, url } = contract.route('getLogEntryByUUID', handler)
  t.equal(method, 'GET')
  t.equal(url, '/api/v1/log/entries/:entryUUID')
  t.throws(() => contract.route('getLogEntryByUUID', handler), /bound twice/)
})

t.test('the document', async (t) => {
  const contract = loadRekorV1Contract()

  t.test('has the operation names operators know', async (t) => {
    const named = Object.fromEntries(
      contract.operations.map(({ operationId, method, path }) => [operationId, `${method} ${path}`])
    )
    t.match(named, {
      createLogEntry: 'POST /api/v1/log/entries',
      getLogEntryByIndex: 'GET /api/v1/log/entries',
      getLogEntryByUUID: 'GET /api/v1/log/entries/{entryUUID}',
      searchLogQuery: 'POST /api/v1/log/entries/retrieve',
      getLogInfo: 'GET /api/v1/log',
      getPublicKey: 'GET /api/v1/log/publicKey',
      getLogProof: 'GET /api/v1/log/proof',
      searchIndex: 'POST /api/v1/index/retrieve',
      ping: 'GET /ping'
    })
  })

  t.test('has only references that lead somewhere, and no unused part', async (t) => {
    const used = new Set<string>([
      '#/components/responses/PathNotFound',
      '#/components/responses/MethodNotAllowed'
    ])
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      const { $ref } = node as { $ref?: string }
      if ($ref !== undefined) {
        used.add($ref)
        t.doesNotThrow(() => contract.resolve({ $ref }), $ref)
      }
      Object.values(node).forEach(walk)
    }
    walk(contract.document)
    const components = contract.document.components as Record<string, Record<string, SchemaNode>>
    for (const [section, parts] of Object.entries(components)) {
      for (const name of Object.keys(parts)) {
        const reference = `#/components/${section}/${name}`
        const isMapped = Object.values(
          (
            contract.resolve({ $ref: '#/components/schemas/ProposedEntry' }).discriminator as {
              mapping: object
            }
          ).mapping
        ).includes(reference)
        t.ok(used.has(reference) || isMapped, `${reference} is used`)
      }
    }
  })

  t.test('is served as it is, and as JSON', async (t) => {
    const { inject } = await stubApp()
    const file = readFileSync(new URL('../../openapi/rekor-v1.yaml', import.meta.url), 'utf8')
    t.equal((await inject({ url: '/openapi/rekor-v1.yaml' })).text, file)
    t.strictSame((await inject({ url: '/swagger.json' })).json, contract.document)
  })
})

t.test('documents the server cannot bind to', async (t) => {
  const document = (operation: string) => `openapi: 3.1.1\npaths:\n  /a:\n    get:\n${operation}`
  t.throws(() => createContract('[]'), /document is not an object/)
  t.throws(
    () => createContract(document('      responses: {}')),
    /operationId of get \/a is not text/
  )
  t.throws(
    () =>
      createContract(
        'paths:\n  /a:\n    get: { operationId: x, responses: {} }\n    post: { operationId: x, responses: {} }'
      ),
    /repeated operationId/
  )
  t.throws(
    () =>
      createContract(
        document(
          '      operationId: a\n      parameters: [{ $ref: "#/components/no" }]\n      responses: {}'
        )
      ),
    /#\/components\/no is not an object/
  )
  t.throws(
    () =>
      createContract(
        document(
          '      operationId: a\n      parameters: [{ $ref: "other.yaml#/x" }]\n      responses: {}'
        )
      ),
    /outside the document/
  )
  t.throws(
    () =>
      createContract(
        document(
          '      operationId: a\n      parameters: [{ name: x, in: cookie, schema: {} }]\n      responses: {}'
        )
      ),
    /neither in path nor in query/
  )
})
