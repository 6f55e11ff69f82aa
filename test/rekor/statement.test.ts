import { createHash, createPublicKey, verify } from 'node:crypto'
import t from 'tap'
import { decodeBase64 } from '../../src/encoding/base64.js'
import { createLocalSigner, generateLogKey } from '../../src/keys/local-signer.js'
import { buildLogStatement, buildStatementEntry, logIdOf } from '../../src/rekor/statement.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { TEST_SETTINGS } from '../helpers/rekor-app.js'

const TREE = {
  treeId: '1234567890123456789',
  origin: 'log.example - 1234567890123456789',
  publicKey: Uint8Array.of(1, 2, 3),
  createdTimeSeconds: 1_700_000_000
}

t.test('the text never changes: logs hold its digest', async (t) => {
  const text = buildLogStatement(TREE)
  t.match(text, /^origin: log\.example - 1234567890123456789$/m)
  t.match(text, /^tree id: 1234567890123456789$/m)
  t.match(
    text,
    /^sha256 of the public key: 039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81$/m
  )
  t.match(text, /^created: 2023-11-14T22:13:20Z$/m)
  t.equal(
    createHash('sha256').update(text).digest('hex'),
    '4d3a858e45b8e38e338631a66889036b1313b3c2b8a29061723e147ec62654da'
  )
})

t.test('the entry is a hashedrekord over it, by the key of the tree', async (t) => {
  const signer = createLocalSigner(await generateLogKey())
  const statement = buildLogStatement({ ...TREE, publicKey: signer.publicKey })
  const proposed = await buildStatementEntry(statement, signer)
  const { spec } = proposed as unknown as {
    spec: { data: { hash: object }; signature: { content: string; publicKey: { content: string } } }
  }
  t.match(proposed, { kind: 'hashedrekord', apiVersion: '0.0.1' })
  t.same(spec.data.hash, {
    algorithm: 'sha256',
    value: createHash('sha256').update(statement).digest('hex')
  })
  const key = createPublicKey(Buffer.from(decodeBase64(spec.signature.publicKey.content)))
  t.ok(verify('sha256', Buffer.from(statement), key, decodeBase64(spec.signature.content)))
  const verifier = createInProcessVerifier(TEST_SETTINGS)
  const { searchKeys } = await verifier.verifyEntry(proposed, 'submit', 0)
  t.ok(searchKeys.includes(`sha256:${createHash('sha256').update(statement).digest('hex')}`))
})

t.test('the id of a log is the digest of its key', async (t) => {
  t.equal(
    Buffer.from(logIdOf(Uint8Array.of(1, 2, 3))).toString('hex'),
    '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81'
  )
})
