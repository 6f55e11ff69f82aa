import t from 'tap'
import { concatBytes } from '../../src/encoding/bytes.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { createVerifierKey, formatVerifierKey } from '../../src/note/verifier-key.js'
import {
  MAX_POLICY_BYTES,
  MAX_POLICY_ITEMS,
  parseWitnessPolicy
} from '../../src/note/witness-policy.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusal, refusalText, unlessRefused } from '../helpers/refusals.js'
import { LOG, W1, W2, W3 } from '../helpers/witness-keys.js'

const L = formatVerifierKey(LOG.key)
const K1 = formatVerifierKey(W1.key)
const K2 = formatVerifierKey(W2.key)
const K3 = formatVerifierKey(W3.key)

const POLICY = `# comment
log ${L} https://rekor2.example.internal

witness w1 ${K1} https://w1.example.internal/
\twitness  w2\t${K2} http://w2.example.internal:8080/witness \t
  # another
witness w3 ${K3}
group site-a any w1 w2
group both all site-a w3
quorum both
`

const parse = (text: string): ReturnType<typeof parseWitnessPolicy> =>
  parseWitnessPolicy(encodeUtf8(text))

t.test('a policy', (t) => {
  t.same(parse(POLICY), {
    logs: [{ key: LOG.key, url: 'https://rekor2.example.internal' }],
    witnesses: [
      { name: 'w1', key: W1.key, url: 'https://w1.example.internal/' },
      { name: 'w2', key: W2.key, url: 'http://w2.example.internal:8080/witness' },
      { name: 'w3', key: W3.key }
    ],
    groups: [
      { name: 'site-a', threshold: 1, members: ['w1', 'w2'] },
      { name: 'both', threshold: 2, members: ['site-a', 'w3'] }
    ],
    quorum: 'both'
  })
  t.end()
})

t.test('smaller ones', (t) => {
  t.same(parse('quorum none\n'), { logs: [], witnesses: [], groups: [], quorum: undefined })
  t.match(parse(`witness w ${K1}\nquorum w\nlog ${L}\n`), {
    quorum: 'w',
    logs: [{ key: LOG.key }]
  })
  const witnesses = `witness w1 ${K1}\nwitness w2 ${K2}\nwitness w3 ${K3}\n`
  for (const k of [1, 2, 3]) {
    t.match(parse(`${witnesses}group g ${k} w1 w2 w3\nquorum g\n`), { groups: [{ threshold: k }] })
  }
  t.match(parse(`witness žeton ${K1}\nquorum žeton\n`), { quorum: 'žeton' })
  t.match(
    parse(`witness K ${K1}\nwitness \u212a ${K2}\nquorum K\n`),
    { witnesses: [{ name: 'K' }, { name: '\u212a' }] },
    'a Kelvin sign is no K'
  )
  const latin1 = concatBytes(encodeUtf8('# '), Uint8Array.of(0xe9), encodeUtf8('\nquorum none\n'))
  t.match(parseWitnessPolicy(latin1), { witnesses: [] }, 'a comment may have any bytes')
  t.end()
})

t.test('a witness with the plain key of a note gets the key that cosigns', (t) => {
  const plain = createVerifierKey(W1.key.name, 'ed25519', W1.key.publicKey)
  const { witnesses } = parse(`witness w ${formatVerifierKey(plain)}\nquorum w\n`)
  t.same(witnesses, [{ name: 'w', key: W1.key }])
  t.end()
})

const ECDSA =
  'rekor.example.internal+f1d59449+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFFcPW6545a5BNP+yn9U/c0MwemXvzddylFa0KbDtANfRTa+OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q='

const REFUSED: Record<string, readonly [string, string]> = {
  nothing: ['', 'no quorum'],
  'no quorum': [`witness w ${K1}\n`, 'no quorum'],
  'no newline at the end': ['quorum none', 'no newline at the end'],
  'two quorums': ['quorum none\nquorum none\n', 'line 2: a second quorum'],
  'quorum of nobody': ['quorum\n', 'line 1: not quorum <name>'],
  'quorum of two': ['quorum a b\n', 'line 1: not quorum <name>'],
  'quorum unknown': ['quorum w\n', 'line 1: "w" is not defined above'],
  'quorum defined below': [`quorum w\nwitness w ${K1}\n`, 'line 1: "w" is not defined above'],
  'another keyword': ['include file\n', 'line 1: "include" is none of the keywords'],
  'keyword in capitals': ['QUORUM none\n', 'line 1: "QUORUM" is none of the keywords'],
  'a comment behind': ['quorum none # nobody\n', 'line 1: not quorum <name>'],
  'carriage return': ['quorum none\r\n', 'line 1: control character'],
  'form feed': ['quorum\fnone\n', 'line 1: control character'],
  'delete in a comment': ['# \u007f\n', 'line 1: control character'],
  'no-break space': ['quorum\u00a0none\n', 'line 1: "quorum\u00a0none" is none of the keywords'],
  'log without key': ['log\n', 'line 1: not log <vkey> [<url>]'],
  'log with three items': [`log ${L} a b\n`, 'line 1: not log <vkey> [<url>]'],
  'log twice': [`log ${L}\nlog ${L}\n`, 'line 2: this key is there already'],
  'log under two names': [
    `log ${L}\nlog ${formatVerifierKey(createVerifierKey('x', 'ed25519', LOG.key.publicKey))}\n`,
    'line 2: this key is there already'
  ],
  'witness without key': ['witness w\n', 'line 1: not witness <name> <vkey> [<url>]'],
  'witness without anything': ['witness\n', 'line 1: not witness <name> <vkey> [<url>]'],
  'witness with four items': [
    `witness w ${K1} https://a b\n`,
    'line 1: not witness <name> <vkey> [<url>]'
  ],
  'witness twice': [`witness a ${K1}\nwitness b ${K1}\n`, 'line 2: this key is there already'],
  'witness as either kind of key': [
    `witness a ${K1}\nwitness b ${formatVerifierKey(createVerifierKey('x', 'ed25519', W1.key.publicKey))}\n`,
    'line 2: this key is there already'
  ],
  'one name twice': [`witness a ${K1}\nwitness a ${K2}\n`, 'line 2: the name "a" is taken'],
  'name of a group taken': [`witness a ${K1}\ngroup a any a\n`, 'line 2: the name "a" is taken'],
  'witness none': [`witness none ${K1}\n`, 'line 1: the name "none" is taken'],
  'group none': [`witness a ${K1}\ngroup none any a\n`, 'line 2: the name "none" is taken'],
  'none in a group': [`group g any none\n`, 'line 1: "none" is not defined above'],
  'group without members': ['group g all\n', 'line 1: not group <name> any|all|<k> <name>...'],
  'group without count': ['group g\n', 'line 1: not group <name> any|all|<k> <name>...'],
  'group without name': ['group\n', 'line 1: not group <name> any|all|<k> <name>...'],
  'group in itself': ['group g any g\n', 'line 1: "g" is not defined above'],
  'member twice': [`witness a ${K1}\ngroup g 2 a a\n`, 'line 2: "a" is a member already'],
  'member of two groups': [
    `witness a ${K1}\ngroup g any a\ngroup h any a\n`,
    'line 3: "a" is a member already'
  ],
  ...Object.fromEntries(
    ['0', '3', '01', '+1', '-1', '1.0', 'ANY', '99999'].map((count) => [
      `threshold ${count}`,
      [
        `witness a ${K1}\nwitness b ${K2}\ngroup g ${count} a b\n`,
        `line 3: ${JSON.stringify(count)} is none of any, all, 1 to 2`
      ] as const
    ])
  ),
  ...Object.fromEntries(
    [
      'w.example',
      'ftp://w.example',
      'https://',
      'https://u:p@w.example/',
      'https://w.example/?a=b',
      'https://w.example/#a',
      'HTTPS://w.example'
    ].map((url) => [
      `URL ${url}`,
      [
        `witness w ${K1} ${url}\n`,
        `line 1: ${JSON.stringify(url)} is no plain http or https URL`
      ] as const
    ])
  )
}

t.test('refused', async (t) => {
  for (const [name, [text, want]] of Object.entries(REFUSED)) {
    t.equal(await refusalText(() => parse(text)), `invalid_request: witness policy: ${want}`, name)
  }
})

t.test('refused for what stands in it', async (t) => {
  t.equal(
    await refusalText(() => parse(`log ${K1}\n`)),
    'unsupported: witness policy: line 1: the key of a log is one that cosigns'
  )
  t.equal(
    await refusalText(() => parse(`\nwitness w ${ECDSA}\n`)),
    'unsupported: witness policy: line 2: verifier key: an ECDSA key does not cosign'
  )
  t.equal(
    await refusalText(() => parse(`witness w ${K1.replace('+ce', '+cf')}\n`)),
    'invalid_request: witness policy: line 1: verifier key: key id "cf64fc16", want "ce64fc16"'
  )
  const latin1 = concatBytes(encodeUtf8('quorum '), Uint8Array.of(0xe9, 10))
  t.equal(
    await refusalText(() => parseWitnessPolicy(latin1)),
    'invalid_request: witness policy: line 1: not valid UTF-8'
  )
})

t.test('limits', async (t) => {
  t.match(parse(`#${'x'.repeat(MAX_POLICY_BYTES - 14)}\nquorum none\n`), { witnesses: [] })
  t.equal(
    (await refusal(() => parse(`#${'x'.repeat(MAX_POLICY_BYTES - 13)}\nquorum none\n`))).code,
    'too_large'
  )
  const keys = Array.from({ length: MAX_POLICY_ITEMS + 1 }, (_, i) =>
    formatVerifierKey(createVerifierKey('w', 'ed25519-cosignature', new Uint8Array(32).fill(i)))
  )
  const witnesses = keys.map((key, i) => `witness w${i} ${key}\n`)
  const groups = keys.map((_, i) => `group g${i} any ${i === 0 ? 'w0' : `g${i - 1}`}\n`)
  const most = witnesses.slice(1).join('').replaceAll('w1 ', 'w0 ')
  t.equal(parse(`${most}${groups.slice(0, -1).join('')}quorum none\n`).groups.length, 64)
  const tooMany = 'more than 64 of its kind'
  t.match((await refusal(() => parse(witnesses.join('')))).message, tooMany)
  t.match((await refusal(() => parse(`${most}${groups.join('')}`))).message, tooMany)
})

t.test('mutated: nothing but a LogError, and what is read holds together', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let parsed = 0
  for (let i = 0; i < 2000; i++) {
    const file = mutate(encodeUtf8(POLICY), random)
    const policy = await unlessRefused(() => parseWitnessPolicy(file))
    if (policy === undefined) continue
    parsed++
    const names = new Set([...policy.witnesses, ...policy.groups].map(({ name }) => name))
    const members = policy.groups.flatMap((group) => group.members)
    if (new Set(members).size !== members.length || !members.every((name) => names.has(name))) {
      t.fail(JSON.stringify(policy))
    }
  }
  t.ok(parsed > 0 && parsed < 2000, `${parsed} of 2000 were policies`)
})
