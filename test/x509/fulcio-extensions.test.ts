import t from 'tap'
import { DER_TAG, parseDer, readContent, readOid } from '../../src/encoding/der.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { decodeUtf8 } from '../../src/encoding/text.js'
import {
  buildFulcioExtensions,
  buildSubjectAltName,
  encodeExtension,
  FULCIO_EXTENSION_NAMES,
  listFulcioExtensions,
  type FulcioExtensionValues
} from '../../src/x509/fulcio-extensions.js'
import { parseSubjectAltName } from '../../src/x509/subject-alt-name.js'
import { refusalText } from '../helpers/refusals.js'

const all = Object.fromEntries(
  FULCIO_EXTENSION_NAMES.map((name) => [name, `text of ${name}`])
) as unknown as FulcioExtensionValues // every name is there, so the issuer is

t.test('every extension, in the order of the certificate', (t) => {
  const extensions = buildFulcioExtensions(all)
  const arcs = extensions.map(({ oid }) => Number(oid.split('.').pop()))
  t.same(arcs, [1, 2, 3, 4, 5, 6, ...Array.from({ length: 17 }, (_, i) => i + 8)])
  for (const { oid, critical, value } of extensions) {
    const arc = Number(oid.slice('1.3.6.1.4.1.57264.1.'.length))
    t.notOk(critical)
    const text = arc < 7 ? value : readContent(parseDer(value), DER_TAG.utf8String, 'text')
    t.match(decodeUtf8(text), /^text of [a-zA-Z]+$/, oid)
  }
  t.end()
})

t.test('the same extensions in words', (t) => {
  t.same(
    listFulcioExtensions(all).map(({ oid }) => oid),
    buildFulcioExtensions(all).map(({ oid }) => oid)
  )
  t.same(listFulcioExtensions({ issuer: 'i', subject: '', buildTrigger: 'push' }), [
    { oid: '1.3.6.1.4.1.57264.1.1', name: 'issuer', text: 'i' },
    { oid: '1.3.6.1.4.1.57264.1.8', name: 'issuer', text: 'i' },
    { oid: '1.3.6.1.4.1.57264.1.20', name: 'buildTrigger', text: 'push' }
  ])
  t.end()
})

t.test('texts that are empty or not there give no extension', (t) => {
  const extensions = buildFulcioExtensions({ issuer: 'i', subject: '', buildTrigger: 'ü' })
  t.same(
    extensions.map(({ oid, value }) => [oid.split('.').pop(), encodeHex(value)]),
    [
      ['1', '69'],
      ['8', '0c0169'],
      ['20', '0c02c3bc']
    ]
  )
  t.end()
})

t.test('a text of 128 bytes has a length of two', (t) => {
  const [, issuer] = buildFulcioExtensions({ issuer: 'x'.repeat(128) })
  t.equal(encodeHex(issuer?.value.subarray(0, 4) ?? new Uint8Array(0)), '0c818078')
  t.end()
})

t.test('an empty issuer is refused', async (t) => {
  t.equal(
    await refusalText(() => buildFulcioExtensions({ issuer: '' })),
    'invalid_request: extensions must have a non-empty issuer url'
  )
})

t.test('names, as our own reader sees them', async (t) => {
  const names = [
    { kind: 'rfc822Name', value: 'alice@example.com', hex: '3013811' },
    { kind: 'uniformResourceIdentifier', value: 'https://a.example//b', hex: '30168614' },
    {
      kind: 'otherName',
      value: 'älice!example.com',
      hex: '3024a022060a2b0601040183bf300107a0140c12'
    }
  ] as const
  for (const { kind, value, hex } of names) {
    const extension = buildSubjectAltName({ kind, value })
    t.equal(extension.oid, '2.5.29.17')
    t.ok(extension.critical)
    t.same(parseSubjectAltName(extension).names, [value])
    t.ok(encodeHex(extension.value).startsWith(hex), `${kind} ${encodeHex(extension.value)}`)
  }
  for (const kind of ['rfc822Name', 'uniformResourceIdentifier'] as const) {
    t.equal(
      await refusalText(() => buildSubjectAltName({ kind, value: 'usér@example.com' })),
      'invalid_request: x509: "usér@example.com" cannot be encoded as an IA5String'
    )
  }
})

t.test('an extension as a certificate holds it', (t) => {
  const value = Uint8Array.of(5, 0)
  const critical = encodeExtension({ oid: '1.2.3', critical: true, value })
  t.equal(encodeHex(critical), '300b06022a030101ff04020500')
  const [oid, octets] = parseDer(encodeExtension({ oid: '1.2.3', critical: false, value })).children
  t.equal(readOid(oid, 'oid'), '1.2.3')
  t.same(octets?.content, value)
  t.end()
})
