import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { concatBytes } from '../../src/encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  encodeDer,
  encodeNull,
  encodeSequence
} from '../../src/encoding/der.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { parseSubjectAltName } from '../../src/x509/subject-alt-name.js'
import { certificate, general, subjectAltName } from '../helpers/certificates.js'
import { refusalText } from '../helpers/refusals.js'

const FULCIO = '1.3.6.1.4.1.57264.1.7'
const utf8 = (text: string) => encodeDer(DER_TAG.utf8String, encodeUtf8(text))
const read = (...names: Uint8Array[]) =>
  parseSubjectAltName({ oid: '2.5.29.17', critical: true, value: encodeSequence(...names) })

t.test('names in the order of the index, whatever theirs', (t) => {
  t.same(
    read(
      general.uri('https://example.com/a@refs/heads/main'),
      general.other(FULCIO, utf8('octo cat')),
      general.ip(192, 0, 2, 1),
      general.email('B@example.com'),
      encodeDer(contextTag(4, 'constructed'), encodeSequence()),
      general.dns('b.example.com'),
      general.email('a@example.com'),
      general.dns('a.example.com')
    ),
    {
      names: [
        'b.example.com',
        'a.example.com',
        'B@example.com',
        'a@example.com',
        '192.0.2.1',
        'https://example.com/a@refs/heads/main',
        'octo cat'
      ],
      hasStandardName: true
    }
  )
  t.same(parseSubjectAltName(undefined), { names: [], hasStandardName: false })
  t.same(read(), { names: [], hasStandardName: false })
  t.end()
})

t.test("otherName: exactly one, Fulcio's, a UTF8String", (t) => {
  t.same(read(general.other(FULCIO, utf8('x'))), { names: ['x'], hasStandardName: false })
  for (const [title, names] of [
    ['two', [general.other(FULCIO, utf8('x')), general.other(FULCIO, utf8('y'))]],
    ['another OID', [general.other('1.2.3', utf8('x'))]],
    ['one of each', [general.other('1.2.3', utf8('x')), general.other(FULCIO, utf8('y'))]],
    ['another type', [general.other(FULCIO, encodeNull())]],
    ['no value', [general.other(FULCIO)]],
    ['empty', [general.other(FULCIO, utf8(''))]],
    ['not UTF-8', [general.other(FULCIO, encodeDer(DER_TAG.utf8String, Uint8Array.of(0xff)))]],
    ['nothing inside', [encodeDer(contextTag(0, 'constructed'))]]
  ] as const) {
    t.same(read(...names).names, [], title)
  }
  t.end()
})

t.test('IPv6 as RFC 5952 section 4 writes it', (t) => {
  for (const [groups, text] of [
    [[0x2001, 0xdb8, 0, 0, 0, 0, 2, 1], '2001:db8::2:1'],
    [[0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], '2001:db8:0:1:1:1:1:1'],
    [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], '2001:db8::1:0:0:1'],
    [[0x2001, 0, 0, 1, 0, 0, 0, 1], '2001:0:0:1::1'],
    [[0, 0, 0, 0, 0, 0, 0, 0], '::'],
    [[0, 0, 0, 0, 0, 0, 0, 1], '::1'],
    [[1, 0, 0, 0, 0, 0, 0, 0], '1::'],
    [[0xabcd, 2, 3, 4, 5, 6, 7, 0], 'abcd:2:3:4:5:6:7:0']
  ] as const) {
    const bytes = groups.flatMap((group) => [group >> 8, group & 0xff])
    t.same(read(general.ip(...bytes)).names, [text])
    const node = new X509Certificate(
      certificate({ extensions: [subjectAltName([general.ip(...bytes)])] })
    )
    t.equal(
      new URL(`http://[${node.subjectAltName?.replace('IP Address:', '') ?? ''}]`).hostname,
      `[${text}]`,
      'the URL standard shortens it alike'
    )
  }
  t.end()
})

t.test('refused', async (t) => {
  for (const [title, names, message] of [
    ['DNS not ASCII', [general.dns('é')], 'x509: SAN dNSName is malformed'],
    ['e-mail not ASCII', [general.email('é@b.c')], 'x509: SAN rfc822Name is malformed'],
    [
      'URI not ASCII',
      [general.uri('https://é')],
      'x509: SAN uniformResourceIdentifier is malformed'
    ],
    ['IP of 5 bytes', [general.ip(1, 2, 3, 4, 5)], 'x509: cannot parse IP address of length 5'],
    [
      'IPv4 mapped to IPv6',
      [general.ip(...new Uint8Array(10), 0xff, 0xff, 1, 2, 3, 4)],
      'x509: SAN iPAddress contains IPv4-mapped IPv6 address'
    ]
  ] as const) {
    t.equal(await refusalText(() => read(...names)), `invalid_request: ${message}`, title)
  }
  const value = concatBytes(encodeSequence(), Uint8Array.of(0))
  t.match(
    await refusalText(() => parseSubjectAltName({ oid: '2.5.29.17', critical: false, value })),
    /invalid subject alternative names: trailing data/
  )
})
