import { readdirSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { loadRekorV1Contract } from '../../src/http/contract.js'
import { changed, computedVector } from '../helpers/vectors.js'

// The document describes the `spec` of each kind for its readers: the server does not validate with it. So here is where it is
// held against entries that a real Rekor took.

const contract = loadRekorV1Contract()
const proposedEntry = contract.resolve({ $ref: '#/components/schemas/ProposedEntry' })
const { mapping } = proposedEntry.discriminator as { mapping: Readonly<Record<string, string>> }

const ajv = new Ajv2020({ strict: false })
ajv.addSchema(contract.document as object, 'rekor')
const validatorOf = (reference: string) => ajv.compile({ $ref: `rekor${reference}` })

const VECTORS = readdirSync(new URL('../vectors/rekor/computed/', import.meta.url)).map((file) =>
  computedVector(file.replace('.json', ''))
)

/** Members without which Rekor's schema of a kind, or its code, refuses a proposal. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  alpine: ['package', 'package.content', 'publicKey', 'publicKey.content'],
  cose: ['data', 'message', 'publicKey'],
  dsse: ['proposedContent', 'proposedContent.envelope', 'proposedContent.verifiers'],
  hashedrekord: ['data', 'data.hash', 'signature', 'signature.content', 'signature.publicKey'],
  helm: ['chart', 'chart.provenance', 'chart.provenance.content', 'publicKey', 'publicKey.content'],
  intoto: ['content', 'content.envelope'],
  jar: ['archive', 'archive.content'],
  rekord: ['data', 'data.content', 'signature', 'signature.content', 'signature.publicKey'],
  rfc3161: ['tsr', 'tsr.content'],
  rpm: ['package', 'package.content', 'publicKey', 'publicKey.content'],
  tuf: ['metadata', 'metadata.content', 'root', 'root.content']
}

t.test('every kind of Rekor is described', (t) => {
  t.strictSame(Object.keys(mapping).sort(), Object.keys(REQUIRED).sort())
  const anyOf = (
    contract.resolve({ $ref: '#/components/schemas/ProposedEntry' }).properties as {
      spec: { anyOf: readonly { $ref: string }[] }
    }
  ).spec.anyOf
  t.strictSame(anyOf.map(({ $ref }) => $ref).sort(), Object.values(mapping).sort())
  t.end()
})

for (const [kind, required] of Object.entries(REQUIRED)) {
  t.test(kind, (t) => {
    const validate = validatorOf(mapping[kind] ?? '')
    const vectors = VECTORS.filter((vector) => vector.kind === kind)
    t.not(vectors.length, 0, 'there are vectors of it')
    for (const {
      proposedEntry: { spec },
      leafHash
    } of vectors) {
      t.ok(validate(spec), leafHash, { errors: validate.errors })
      const passing = required.filter((path) => validate(changed(spec, path.split('.'), 'absent')))
      t.strictSame(passing, [], 'nothing of what must be there may be missing')
    }
    t.end()
  })
}

t.test('metadata of TUF may be base64, too', (t) => {
  const validate = validatorOf('#/components/schemas/TufSpec')
  const content = Buffer.from('{}').toString('base64')
  t.ok(validate({ metadata: { content }, root: { content } }))
  t.notOk(validate({ metadata: { content: 7 }, root: { content } }))
  t.end()
})
