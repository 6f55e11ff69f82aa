import t from 'tap'
import { ENTRY_KINDS, ENTRY_TYPES, findEntryType } from '../../src/entries/registry.js'
import { refusalText } from '../helpers/refusals.js'

t.test('finds every type by kind and version', (t) => {
  for (const type of ENTRY_TYPES) t.equal(findEntryType(type.kind, type.version), type)
  t.same(ENTRY_TYPES.map(({ kind, version }) => `${kind} ${version}`).sort(), [
    'alpine 0.0.1',
    'cose 0.0.1',
    'dsse 0.0.1',
    'hashedrekord 0.0.1',
    'helm 0.0.1',
    'intoto 0.0.1',
    'intoto 0.0.2',
    'jar 0.0.1',
    'rekord 0.0.1',
    'rfc3161 0.0.1',
    'rpm 0.0.1',
    'tuf 0.0.1'
  ])
  t.same(ENTRY_KINDS, [
    'alpine',
    'cose',
    'dsse',
    'hashedrekord',
    'helm',
    'intoto',
    'jar',
    'rekord',
    'rfc3161',
    'rpm',
    'tuf'
  ])
  t.end()
})

t.test('says what it does not have', async (t) => {
  for (const [kind, version, message] of [
    [
      'hashedrekord',
      '9.9.9',
      "hashedrekord implementation for version '9.9.9' not found: unable to locate entry for version 9.9.9"
    ],
    [
      'dsse',
      '0.0.2',
      "dsse implementation for version '0.0.2' not found: unable to locate entry for version 0.0.2"
    ],
    ['ProposedEntry', '0.0.1', "could not unmarshal entry for kind 'ProposedEntry'"],
    ['constructor', '0.0.1', "could not unmarshal entry for kind 'constructor'"]
  ] as const) {
    t.equal(await refusalText(() => findEntryType(kind, version)), `unsupported: ${message}`)
  }
})
