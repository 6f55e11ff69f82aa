import t from 'tap'
import { createRekorApp, rotateRekorApp } from '../helpers/rekor-app.js'
import {
  believe,
  ENTRIES,
  idOf,
  INDEX,
  messageOf,
  postEntry,
  RETRIEVE
} from '../helpers/rekor-client-check.js'
import { computedVector } from '../helpers/vectors.js'

const model = computedVector('hashedrekord-model')
const ecdsa = computedVector('hashedrekord-ecdsa-p256-sha256')
const rsa = computedVector('hashedrekord-rsa2048-sha256')

t.test('a log of two trees', async (t) => {
  const before = await createRekorApp(t)
  const modelOld = await postEntry(before.inject, model.proposedEntry)
  const ecdsaOld = await postEntry(before.inject, ecdsa.proposedEntry)
  const oldInfo = (await before.inject({ url: '/api/v1/log' })).json as { signedTreeHead: string }
  const oldKey = (await before.inject({ url: '/api/v1/log/publicKey' })).text
  const oldStatement = (await before.inject({ url: `/log-statement/${before.treeId}` })).text

  const after = await rotateRekorApp(t, before)
  const { inject } = after
  const get = (path: string) => inject({ url: ENTRIES + path })
  const found = async (url: string, body: unknown) => {
    const { json } = await inject({ method: 'POST', url, body })
    return (json as unknown[]).flatMap((hit) =>
      typeof hit === 'string' ? hit : Object.keys(hit as object)
    )
  }

  t.test('entries of the closed tree are read as they were last published', async (t) => {
    for (const [index, created] of [modelOld, ecdsaOld].entries()) {
      const entryId = idOf(created)
      for (const path of [`/${entryId}`, `/${entryId.slice(16)}`, `?logIndex=${index + 1}`]) {
        const read = await get(path)
        t.equal(idOf(read), entryId)
        const entry = await believe(inject, read.json)
        t.equal(entry.logIndex, index + 1)
        t.equal(entry.inclusionProof.leafIndex, index + 1)
        t.equal(entry.inclusionProof.checkpoint, oldInfo.signedTreeHead)
      }
    }
  })

  t.test('the new tree begins with a statement of its own, at the next index', async (t) => {
    const entry = await believe(inject, (await get('?logIndex=3')).json)
    t.equal(entry.logIndex, 3)
    t.equal(entry.inclusionProof.leafIndex, 0)
    t.equal(BigInt(`0x${entry.entryId.slice(0, 16)}`).toString(), after.treeId)
    const statement = (await inject({ url: `/log-statement/${after.treeId}` })).text
    t.not(statement, oldStatement)
    t.equal((await inject({ url: `/log-statement/${before.treeId}` })).text, oldStatement)
  })

  t.test('the same entry can be logged again, and is found in both trees', async (t) => {
    const created = await postEntry(inject, model.proposedEntry)
    t.equal(created.status, 201)
    const entry = await believe(inject, created.json)
    t.equal(entry.logIndex, 4)
    t.equal(entry.inclusionProof.leafIndex, 1)
    const modelNew = idOf(created)
    t.not(modelNew, idOf(modelOld))
    t.equal(modelNew.slice(16), idOf(modelOld).slice(16))

    t.equal(
      idOf(await get(`/${model.leafHash}`)),
      modelNew,
      'a bare UUID means the active tree first'
    )
    t.equal(idOf(await get(`/${idOf(modelOld)}`)), idOf(modelOld))
    const both = [idOf(modelOld), modelNew]
    t.strictSame(await found(RETRIEVE, { entryUUIDs: [model.leafHash] }), both)
    t.strictSame(await found(RETRIEVE, { entries: [model.proposedEntry] }), both)
    t.strictSame(await found(RETRIEVE, { entryUUIDs: [modelNew] }), [modelNew])
    t.strictSame(
      await found(RETRIEVE, {
        logIndexes: [4, 1, 9],
        entryUUIDs: [ecdsa.leafHash, modelNew],
        entries: [rsa.proposedEntry]
      }),
      [modelNew, idOf(ecdsaOld), modelNew, idOf(modelOld)],
      'IDs, then hashes, then indexes; what is not there is left out'
    )
    t.strictSame((await found(INDEX, { hash: model.indexKeys[1] })).sort(), both.sort())
    const again = await postEntry(inject, model.proposedEntry)
    t.equal(again.status, 409)
    t.equal(again.headers.location, `${ENTRIES}/${modelNew}`)
  })

  t.test('log info, keys and proofs are told apart by tree', async (t) => {
    const info = await inject({ url: '/api/v1/log' })
    t.match(info.json, {
      treeID: after.treeId,
      treeSize: 2,
      inactiveShards: [
        { treeID: before.treeId, treeSize: 3, signedTreeHead: oldInfo.signedTreeHead }
      ]
    })
    const key = async (query: string) =>
      (await inject({ url: `/api/v1/log/publicKey${query}` })).text
    t.equal(await key(`?treeID=${before.treeId}`), oldKey)
    t.not(await key(''), oldKey)
    t.equal(await key(''), await key(`?treeID=${after.treeId}`))
    t.equal(await key(''), await key('?treeID='))
    const proof = (query: string) => inject({ url: `/api/v1/log/proof?${query}` })
    t.equal((await proof(`lastSize=3&treeID=${before.treeId}`)).status, 200)
    t.equal(
      messageOf(await proof(`lastSize=3&treeID=${after.treeId}`)),
      'the tree size requested(3) was greater than what is currently observable(2)'
    )
    t.equal(
      messageOf(await proof('lastSize=3')),
      messageOf(await proof(`lastSize=3&treeID=${after.treeId}`))
    )
  })

  t.test('an entry ID with the other tree is not found', async (t) => {
    const wrong = idOf(await get('?logIndex=3')).slice(0, 16) + ecdsa.leafHash
    t.match(await get(`/${wrong}`), { status: 404, text: '' })
    t.strictSame(await found(RETRIEVE, { entryUUIDs: [wrong] }), [])
  })

  t.test('a third tree', async (t) => {
    const third = await rotateRekorApp(t, after)
    const { json } = await third.inject({ url: '/api/v1/log' })
    t.match(json, {
      treeSize: 1,
      inactiveShards: [{ treeID: before.treeId }, { treeID: after.treeId }]
    })
    t.equal(
      (await believe(third.inject, (await third.inject({ url: `${ENTRIES}?logIndex=5` })).json))
        .logIndex,
      5
    )
    t.equal(
      idOf(await third.inject({ url: `${ENTRIES}/${model.leafHash}` })),
      idOf(modelOld),
      'of closed trees the oldest first'
    )
  })
})
