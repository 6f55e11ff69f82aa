import t from 'tap'
import { decodeBase64, encodeBase64 } from '../../src/encoding/base64.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { verifyConsistency } from '../../src/merkle/consistency-proof.js'
import { parseCheckpoint } from '../../src/note/checkpoint.js'
import { openTreeViews } from '../../src/rekor/tree-views.js'
import { createSuccession } from '../../src/log/succession.js'
import { createRekorGeneration } from '../../src/rekor/generation.js'
import { createRekorService } from '../../src/rekor/service.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { createRekorApp, openRekorApp, TEST_SETTINGS } from '../helpers/rekor-app.js'
import {
  believe,
  ENTRIES,
  idOf,
  INDEX,
  messageOf,
  postEntry,
  RETRIEVE,
  VECTOR_NAMES,
  vectors
} from '../helpers/rekor-client-check.js'
import { computedVector } from '../helpers/vectors.js'

t.test(
  'every computed vector gets the recorded leaf, is believed, and is there only once',
  async (t) => {
    const { inject } = await createRekorApp(t)
    for (const name of VECTOR_NAMES) {
      const { proposedEntry, leafHash, canonicalBody, attestation } = computedVector(name)
      const created = await postEntry(inject, proposedEntry)
      t.equal(created.status, 201, name)
      const entryId = idOf(created)
      t.equal(entryId.slice(16), leafHash, name)
      t.equal(created.headers.location, `${ENTRIES}/${entryId}`)
      const entry = await believe(inject, created.json)
      t.equal(new TextDecoder().decode(entry.leafValue), canonicalBody, name)
      t.equal(entry.attestation, undefined, 'not in the answer to a submission')

      const again = await postEntry(inject, proposedEntry)
      t.equal(again.status, 409, name)
      t.equal(again.headers.location, `${ENTRIES}/${entryId}`)
      t.equal(
        messageOf(again),
        `an equivalent entry already exists in the transparency log with UUID ${entryId}`
      )
      const read = await believe(
        inject,
        (await inject({ url: String(again.headers.location) })).json
      )
      t.equal(read.integratedTimeSeconds, entry.integratedTimeSeconds)
      t.same(read.signedEntryTimestamp, entry.signedEntryTimestamp, 'reads do not sign')
      const kept = attestation && decodeBase64(attestation.bytesBase64)
      t.same(read.attestation, kept, name)
    }
  }
)

t.test(
  'two submissions of one entry at once: one gets 201, the other 409, both the same ID',
  async (t) => {
    const { inject } = await createRekorApp(t)
    const { proposedEntry } = computedVector('hashedrekord-model')
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => postEntry(inject, proposedEntry))
    )
    const created = answers.filter(({ status }) => status === 201)
    t.equal(created.length, 1)
    const entryId = created[0] === undefined ? '' : idOf(created[0])
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      t.equal(answer.status, 409)
      t.equal(answer.headers.location, `${ENTRIES}/${entryId}`)
      const followed = await inject({ url: String(answer.headers.location) })
      t.equal(idOf(followed), entryId)
    }
  }
)

t.test('one entry by every way there is', async (t) => {
  const { inject } = await createRekorApp(t)
  const { proposedEntry, leafHash } = computedVector('hashedrekord-model')
  const entryId = idOf(await postEntry(inject, proposedEntry))
  const get = (path: string) => inject({ url: ENTRIES + path })
  const retrieve = (body: unknown) => inject({ method: 'POST', url: RETRIEVE, body })
  for (const path of [
    `/${entryId}`,
    `/${leafHash}`,
    `/${entryId.toUpperCase()}`,
    `/${leafHash.toUpperCase()}`,
    '?logIndex=1',
    '?logIndex=%2B1',
    '?logIndex=01'
  ]) {
    const read = await get(path)
    t.equal(read.status, 200, path)
    t.equal(idOf(read), entryId, path)
    await believe(inject, read.json)
  }
  for (const query of [
    { entryUUIDs: [entryId] },
    { ENTRYUUIDS: [leafHash.toUpperCase()], logIndexes: null },
    { logIndexes: [1] },
    { entries: [proposedEntry] },
    { entries: [{ ...proposedEntry, kind: null, KIND: 'hashedrekord' }] },
    { logIndexes: [1, 99], entryUUIDs: ['0'.repeat(64), `${'0'.repeat(15)}1${leafHash}`] }
  ]) {
    const { json, status } = await retrieve(query)
    t.equal(status, 200)
    t.strictSame(
      (json as object[]).flatMap(Object.keys),
      [entryId],
      JSON.stringify(query).slice(0, 80)
    )
  }
  for (const path of [
    `/${'0'.repeat(64)}`,
    `/${'0'.repeat(15)}1${leafHash}`,
    `/7fffffffffffffff${leafHash}`,
    '?logIndex=2',
    '?logIndex=9007199254740991'
  ]) {
    t.match(await get(path), { status: 404, text: '' }, path)
  }
  t.match(await get('?logIndex=9007199254740992'), { status: 422, json: { code: 608 } })
  for (const id of [`8000000000000000${leafHash}`, `0000000000000000${leafHash}`]) {
    t.match(await get(`/${id}`), {
      status: 400,
      json: { message: /^validation error: .* is not a valid TreeID$/ }
    })
    t.match(await retrieve({ entryUUIDs: [id] }), {
      status: 400,
      json: { code: 400, message: `invalid entryID ${id}` }
    })
  }
  t.strictSame((await retrieve({})).json, [])
})

/** Kinds whose committed form lacks what was signed. */
const WITHOUT_ARTIFACT: readonly string[] = ['alpine', 'cose', 'helm', 'jar', 'rekord', 'rpm']

t.test('retrieve by content', async (t) => {
  const { inject } = await createRekorApp(t)
  const retrieve = (entries: unknown) =>
    inject({ method: 'POST', url: RETRIEVE, body: { entries } })
  const all = vectors()
  for (const { proposedEntry } of all) await postEntry(inject, proposedEntry)
  const found = async (entry: unknown) => {
    const { json, status, text } = await retrieve([entry])
    t.equal(status, 200, text.slice(0, 200))
    return (json as object[]).flatMap(Object.keys).map((id) => id.slice(16))
  }
  for (const { proposedEntry, leafHash } of all)
    t.strictSame(await found(proposedEntry), [leafHash])

  t.test('a committed body finds itself where it can be canonicalised on its own', async (t) => {
    for (const { canonicalBody, leafHash, kind } of all) {
      if (WITHOUT_ARTIFACT.includes(kind)) continue
      t.strictSame(await found(JSON.parse(canonicalBody)), [leafHash])
    }
    const committed: unknown = JSON.parse(computedVector('rekord-pgp').canonicalBody)
    const refused = await retrieve([committed])
    t.equal(refused.status, 400)
    t.notMatch(messageOf(refused), 'error processing entry', 'the raw message')
  })

  t.test('two proposals of one attestation, one of which is there', async (t) => {
    const { inject } = await createRekorApp(t)
    const dsse = computedVector('dsse-single')
    const intoto = computedVector('intoto-0.0.1')
    await postEntry(inject, intoto.proposedEntry)
    const { json } = await inject({
      method: 'POST',
      url: RETRIEVE,
      body: { entries: [dsse.proposedEntry, intoto.proposedEntry] }
    })
    t.strictSame(
      (json as object[]).flatMap(Object.keys).map((id) => id.slice(16)),
      [intoto.leafHash]
    )
  })

  t.test('one bad entry fails the query', async (t) => {
    const { proposedEntry } = computedVector('dsse-single')
    const bad = { kind: 'dsse', apiVersion: '0.0.1', spec: {} }
    const answer = await retrieve([proposedEntry, bad])
    t.match(answer, {
      status: 400,
      json: {
        message:
          'either proposedContent or envelopeHash, payloadHash, and signatures must be present'
      }
    })
    t.match(await retrieve([{ kind: 'cose', apiVersion: '0.0.1', spec: {} }]), { status: 400 })
    t.match(await retrieve([{ kind: 'nope' }]), {
      json: { message: 'parsing entry body from "" failed, because invalid kind value: "nope"' }
    })
  })
})

t.test('what may be submitted is narrower than what may be looked up', async (t) => {
  const { inject } = await createRekorApp(t, {
    settings: { enabledKinds: ['dsse'], clientAlgorithms: ['rsa-sign-pkcs1-2048-sha256'] }
  })
  const { proposedEntry } = computedVector('hashedrekord-model')
  const refused = await postEntry(inject, proposedEntry)
  t.match(refused, {
    status: 400,
    json: {
      message:
        "error processing entry: entry kind 'hashedrekord' is not enabled for submission on this server"
    }
  })
  const lookup = { method: 'POST', url: RETRIEVE, body: { entries: [proposedEntry] } }
  t.match(await inject(lookup), { status: 200, json: [] })

  const strict = await createRekorApp(t, {
    settings: { clientAlgorithms: ['rsa-sign-pkcs1-2048-sha256'] }
  })
  t.match(await postEntry(strict.inject, proposedEntry), {
    status: 400,
    json: { message: 'error processing entry: entry algorithms are not allowed' }
  })
  t.match(await strict.inject(lookup), { status: 200, json: [] })
})

t.test('kinds and versions we do not take', async (t) => {
  const { inject } = await createRekorApp(t)
  const message = async (kind: string, apiVersion: string) => {
    const answer = await postEntry(inject, { kind, apiVersion, spec: {} })
    t.equal(answer.status, 400)
    return messageOf(answer)
  }
  t.equal(
    await message('hashedrekord', '0.0.2'),
    "error processing entry: hashedrekord implementation for version '0.0.2' not found: unable to locate entry for version 0.0.2"
  )
  t.match(await message('dsse', '0.0.2'), /dsse implementation for version '0.0.2' not found/)
})

t.test('attestations', async (t) => {
  const { proposedEntry, attestation } = computedVector('intoto-0.0.1')
  const data = attestation?.bytesBase64
  t.ok(data)
  const read = async (options: Parameters<typeof createRekorApp>[1]) => {
    const { inject } = await createRekorApp(t, options)
    const url = `${ENTRIES}/${idOf(await postEntry(inject, proposedEntry))}`
    const { json } = await inject({ url })
    const retrieved = await inject({ method: 'POST', url: RETRIEVE, body: { logIndexes: [1] } })
    const values = [json, ...(retrieved.json as object[])].flatMap((entry) =>
      Object.values(entry as Record<string, { attestation?: { data: string } }>)
    )
    return values.map((value) => value.attestation?.data)
  }
  t.strictSame(await read({}), [data, data], 'come with reads')
  t.strictSame(await read({ readAttestations: false }), [undefined, undefined], 'switched off')
  const size = decodeBase64(data ?? '').length
  t.strictSame(
    await read({ settings: { maxAttestationBytes: size - 3 } }),
    [undefined, undefined],
    'too large to keep; the entry is accepted all the same'
  )
})

t.test('search', async (t) => {
  const { inject } = await createRekorApp(t)
  const ids = new Map<string, string>()
  for (const name of VECTOR_NAMES) {
    const { proposedEntry } = computedVector(name)
    ids.set(name, idOf(await postEntry(inject, proposedEntry)))
  }
  const search = async (body: unknown) => {
    const { json, status, text } = await inject({ method: 'POST', url: INDEX, body })
    t.equal(status, 200, text)
    const hits = json as string[]
    return [...ids].filter(([, id]) => hits.includes(id)).map(([name]) => name)
  }
  for (const name of VECTOR_NAMES) {
    for (const key of computedVector(name).indexKeys) {
      if (key === 'foo:bar') continue // no digest the API would take
      const query = key.includes('@')
        ? { email: key.toUpperCase() }
        : { hash: key.startsWith('sha') ? key : `sha256:${key}` }
      if (!key.includes('@') && !key.startsWith('sha')) continue // bare key hashes: see below
      t.ok((await search(query)).includes(name), `${name} by ${key}`)
    }
  }
  const artifact = computedVector('hashedrekord-model').indexKeys[1] ?? ''
  const digest = artifact.slice('sha256:'.length)
  const expected = VECTOR_NAMES.filter((name) => computedVector(name).indexKeys.includes(artifact))
  t.ok(expected.length > 2)
  t.strictSame(await search({ hash: artifact }), expected)
  t.strictSame(await search({ hash: digest.toUpperCase() }), expected, 'without prefix, upper case')
  t.strictSame(await search({ subject: 'LHINDS@protonmail.com' }), ['rekord-pgp'])

  t.test('by public key', async (t) => {
    const content = (name: string) =>
      (computedVector(name).proposedEntry.spec as { signature: { publicKey: { content: string } } })
        .signature.publicKey.content
    const by = (format: string, name: string) =>
      search({ publicKey: { format, content: content(name) } })
    t.strictSame(await by('pgp', 'rekord-pgp'), ['rekord-pgp'])
    t.strictSame(await by('ssh', 'rekord-ssh'), ['rekord-ssh'])
    t.strictSame(await by('minisign', 'rekord-minisign'), ['rekord-minisign'])
    t.strictSame(await by('x509', 'rekord-x509'), ['rekord-x509'])
    t.strictSame(await by('x509', 'hashedrekord-model'), ['hashedrekord-model', 'rekord-x509-ec'])
    // dsse and intoto carry the hash of their keys with a prefix, so a key never finds them but its hash does.
    const pem = decodeBase64(
      (
        computedVector('dsse-single').proposedEntry.spec as {
          proposedContent: { verifiers: string[] }
        }
      ).proposedContent.verifiers[0] ?? ''
    )
    t.strictSame(await search({ publicKey: { format: 'x509', content: encodeBase64(pem) } }), [])
    const keyHash = computedVector('dsse-single').indexKeys[0]
    t.ok((await search({ hash: keyHash })).includes('dsse-single'))

    for (const [format, bytes] of [
      ['x509', 'AAAA'],
      ['pgp', encodeBase64(encodeUtf8('-----BEGIN PGP SIGNATURE-----\n'))],
      ['ssh', encodeBase64(encodeUtf8('ssh-rsa AAAA'))],
      ['minisign', encodeBase64(encodeUtf8('x'))],
      ['tuf', 'AAAA']
    ] as const) {
      t.match(
        await inject({
          method: 'POST',
          url: INDEX,
          body: { publicKey: { format, content: bytes } }
        }),
        {
          status: 400,
          json: { code: 400, message: 'public key provided could not be parsed' }
        },
        format
      )
    }
    const pkcs7 = { publicKey: { format: 'pkcs7', content: 'AAAA' } }
    t.match(await inject({ method: 'POST', url: INDEX, body: pkcs7 }), { status: 422 })
  })

  t.test('and, or', async (t) => {
    const email = 'lhinds@protonmail.com'
    const [, , pgpArtifact = ''] = computedVector('rekord-pgp').indexKeys
    const both = { email, hash: pgpArtifact }
    t.strictSame(await search({ ...both, operator: 'and' }), ['rekord-pgp'])
    t.strictSame(await search({ email, hash: artifact, operator: 'and' }), [])
    t.strictSame(
      await search({ email, hash: artifact, operator: 'or' }),
      await search({ email, hash: artifact })
    )
    t.strictSame(
      (await search({ email, hash: artifact })).sort(),
      [...expected, 'rekord-pgp'].sort()
    )
    t.strictSame(await search({ operator: 'and' }), [])
    t.strictSame(await search({ email: 'nobody@log.example', operator: 'and' }), [])
  })
})

t.test('log info and consistency', async (t) => {
  const { inject, treeId } = await createRekorApp(t)
  const info = async () =>
    (await inject({ url: '/api/v1/log' })).json as {
      rootHash: string
      signedTreeHead: string
      treeID: string
      treeSize: number
      inactiveShards: unknown
    }
  const heads = []
  for (const { proposedEntry } of vectors()) {
    heads.push(parseCheckpoint((await info()).signedTreeHead))
    await postEntry(inject, proposedEntry)
  }
  const last = await info()
  const size = vectors().length + 1
  t.match(last, { treeID: treeId, treeSize: size, inactiveShards: null })
  const now = parseCheckpoint(last.signedTreeHead)
  t.equal(now.origin, `log.example - ${treeId}`)
  t.equal(encodeHex(now.rootHash), last.rootHash)
  heads.push(now)
  for (const first of heads) {
    for (const second of heads.filter(({ treeSize }) => treeSize >= first.treeSize)) {
      const query = `firstSize=${first.treeSize}&lastSize=${second.treeSize}`
      const answer = await inject({ url: `/api/v1/log/proof?${query}` })
      const { hashes, rootHash } = answer.json as { hashes: string[]; rootHash: string }
      t.equal(rootHash, last.rootHash, 'of the tree as it is now')
      verifyConsistency(
        first,
        second,
        hashes.map((hash) => Uint8Array.from(Buffer.from(hash, 'hex')))
      )
    }
  }
  const refusal = async (query: string) => {
    const answer = await inject({ url: `/api/v1/log/proof?${query}` })
    t.equal(answer.status, 400, query)
    return messageOf(answer)
  }
  t.equal(await refusal('firstSize=3&lastSize=2'), 'firstSize(3) must be less than lastSize(2)')
  t.equal(
    await refusal(`lastSize=${size + 1}`),
    `the tree size requested(${size + 1}) was greater than what is currently observable(${size})`
  )
  t.equal(await refusal('lastSize=1&treeID=7'), 'no log range found for tree ID 7')
  t.equal(await refusal('lastSize=1&treeID=007'), 'no log range found for tree ID 7')
  t.equal(
    await refusal('lastSize=1&treeID=9223372036854775808'),
    'invalid tree ID specified: 9223372036854775808'
  )
  const here = await inject({ url: `/api/v1/log/proof?lastSize=1&treeID=00${treeId}` })
  t.strictSame(here.json, { rootHash: last.rootHash, hashes: [] })
})

t.test('the log begins with its own statement', async (t) => {
  const { inject, treeId, signer } = await createRekorApp(t)
  const first = await inject({ url: `${ENTRIES}?logIndex=0` })
  const entry = await believe(inject, first.json)
  const body = JSON.parse(new TextDecoder().decode(entry.leafValue)) as {
    kind: string
    spec: {
      data: { hash: { value: string } }
      signature: { publicKey: { content: string } }
    }
  }
  const { text } = await inject({ url: `/log-statement/${treeId}` })
  const { createHash } = await import('node:crypto')
  t.equal(body.kind, 'hashedrekord')
  t.equal(body.spec.data.hash.value, createHash('sha256').update(text).digest('hex'))
  const key = (await inject({ url: '/api/v1/log/publicKey' })).text
  t.equal(new TextDecoder().decode(decodeBase64(body.spec.signature.publicKey.content)), key)
  t.match(text, treeId)
  t.match(text, createHash('sha256').update(signer.publicKey).digest('hex'))
})

t.test('what was promised is there after a restart', async (t) => {
  const before = await createRekorApp(t)
  const { proposedEntry } = computedVector('hashedrekord-model')
  const created = await postEntry(before.inject, proposedEntry)
  await before.close()
  const after = await openRekorApp(t, before.folder, [before.signer])
  const read = await after.inject({ url: String(created.headers.location) })
  t.strictSame(
    read.json,
    created.json,
    'the same proof, SET and checkpoint: nothing was signed again'
  )
  t.equal((await postEntry(after.inject, proposedEntry)).status, 409)
})

t.test('entries beyond the published checkpoint cannot be seen', async (t) => {
  const { database, log } = await createRekorApp(t)
  const old = log.checkpoint()
  const views = await openTreeViews({
    database,
    log: { record: log.record, checkpoint: () => old },
    readAttestations: true
  })
  const rekor = createRekorService({
    generations: createSuccession(createRekorGeneration(views, log)),
    database,
    verifier: createInProcessVerifier(TEST_SETTINGS),
    observer: { newEntry: () => undefined, indexLookup: () => undefined },
    monotonicMs: () => 0
  })
  const { proposedEntry, leafHash, indexKeys } = computedVector('hashedrekord-model')
  await rekor.submit(proposedEntry, 0)
  t.equal(await rekor.entryByIndex(1), undefined)
  t.equal(await rekor.entryById(leafHash), undefined)
  t.strictSame(await rekor.retrieve({ entryUUIDs: [leafHash] }, 0), [])
  t.strictSame(await rekor.searchIndex({ hash: indexKeys[1] ?? '' }), [])
  t.equal((await rekor.logInfo()).treeSize, 1)
  t.match(await rekor.entryByIndex(0), { entryId: String })
})

t.test('a proof of ours that does not hold is not given to anybody', async (t) => {
  const { inject, log, trees, database } = await createRekorApp(t)
  const [view] = trees
  if (view === undefined) throw new Error('no tree')
  const { proposedEntry } = computedVector('hashedrekord-model')
  const submitThrough = async (
    change: (added: Awaited<ReturnType<typeof log.add>>) => object,
    proof?: (hashes: readonly Uint8Array[]) => readonly Uint8Array[]
  ) => {
    const rekor = createRekorService({
      generations: createSuccession(
        createRekorGeneration(
          [
            proof === undefined
              ? view
              : {
                  ...view,
                  proveInclusion: async (...args) => proof(await view.proveInclusion(...args))
                }
          ],
          {
            record: log.record,
            store: log.store,
            checkpoint: () => log.checkpoint(),
            freshTimeMs: 0,
            failure: undefined,
            close: () => log.close(),
            add: async (leaf) => {
              const added = await log.add(leaf)
              return { ...added, duplicate: false, ...change(added) }
            }
          }
        )
      ),
      database,
      verifier: createInProcessVerifier(TEST_SETTINGS),
      observer: { newEntry: () => undefined, indexLookup: () => undefined },
      monotonicMs: () => 0
    })
    return rekor.submit(proposedEntry, 0)
  }
  const integrity = { code: 'integrity', message: /our own proof for leaf/ }
  const flip = (bytes: Uint8Array) =>
    Uint8Array.from(bytes, (byte, i) => (i === 40 % bytes.length ? byte ^ 1 : byte))

  await submitThrough(() => ({}))
  await t.rejects(
    submitThrough((a) => ({ inclusionPromise: flip(a.inclusionPromise) })),
    integrity,
    'SET'
  )
  await t.rejects(
    submitThrough((a) => ({ integratedTimeSeconds: a.integratedTimeSeconds + 1 })),
    integrity,
    'time'
  )
  await t.rejects(
    submitThrough(
      () => ({}),
      (hashes) => hashes.map(flip)
    ),
    integrity,
    'proof'
  )
  await t.rejects(
    submitThrough(({ checkpoint }) => ({
      checkpoint: { ...checkpoint, note: checkpoint.note.replace(/.{4}\n$/, 'AAA=\n') }
    })),
    integrity,
    'checkpoint signature'
  )
  await t.rejects(
    submitThrough(({ checkpoint: { note, treeHead } }) => ({
      checkpoint: { note, treeHead: { ...treeHead, rootHash: flip(treeHead.rootHash) } }
    })),
    integrity,
    'root'
  )
  t.equal((await inject({ url: `${ENTRIES}?logIndex=1` })).status, 200)
})

t.test('a full queue answers 503', async (t) => {
  const { inject } = await createRekorApp(t, { limits: { maxQueuedLeaves: 1, maxLeaves: 1 } })
  const answers = await Promise.all(
    vectors().map(({ proposedEntry }) => postEntry(inject, proposedEntry))
  )
  const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length
  t.ok(count(201) > 0)
  t.ok(count(503) > 0)
  t.equal(count(201) + count(503), answers.length)
})
