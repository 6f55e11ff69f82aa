import t from 'tap'
import { parseIni } from '../../src/archive/ini.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const parse = (text: string | Uint8Array) =>
  Object.fromEntries(parseIni(Buffer.from(text as string), 'ini'))
const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))

t.test('what stands in the default section', async (t) => {
  const cases: readonly (readonly [
    name: string,
    text: string,
    values: Readonly<Record<string, string>>
  ])[] = [
    ['nothing', '', {}],
    ['key and value', 'a = b', { a: 'b' }],
    ['both delimiters', 'a=b\nc:d\n', { a: 'b', c: 'd' }],
    ['first of them', 'a=b:c=d\ne:f=g', { a: 'b:c=d', e: 'f=g' }],
    ['blanks', '\t a b \t=\u00a0 c d \u3000\r\n', { 'a b': 'c d' }],
    ['empty lines', '\n\r\n  \na=b\n\n', { a: 'b' }],
    ['comments', '# a=b\n; c=d\n  # e=f\ng=h', { g: 'h' }],
    ['no value', 'a =\nb=  \nc=', { a: '', b: '', c: '' }],
    ['case', 'a=1\nA=2', { a: '1', A: '2' }],
    [
      'names of objects',
      '__proto__=1\nconstructor=2',
      {
        ['__proto__']: '1',
        constructor: '2'
      }
    ],

    ['comment behind a value', 'a = b # c\nd=e;f\ng=h#i;j', { a: 'b', d: 'e', g: 'h' }],
    ['comment in an address', 'url=https://example.com/#top', { url: 'https://example.com/' }],
    ['nothing but a comment', 'a=#b\nc= ;d', { a: '', c: '' }],
    ['comment sign in a key', 'a#b=c', { 'a#b': 'c' }],

    ['last of several', 'depend=a\ndepend=b\ndepend=c', { depend: 'c' }],

    ['quotes', `a="b c"\nd='e f'\ng = "h"`, { a: 'b c', d: 'e f', g: 'h' }],
    ['two pairs', 'a="b" "c"', { a: '"b" "c"' }],
    ['quote inside', `a='it's'\nb="it's"`, { a: `'it's'`, b: "it's" }],
    ['half a pair', `a="\nb='\nc="d\ne=f"\ng="h'`, { a: '"', b: "'", c: '"d', e: 'f"', g: `"h'` }],
    ['empty quotes', `a=""\nb=''`, { a: '', b: '' }],
    ['comment inside quotes', 'a="b#c"', { a: '"b' }],
    ['comment behind quotes', 'a="b" # c', { a: 'b' }],
    ['blanks inside quotes', 'a=" b "', { a: ' b ' }],

    ['verbatim', 'a=`b # c \\`\nd = """e " ; f"""', { a: 'b # c \\', d: 'e " ; f' }],
    ['up to the last quote', 'a=`b` c ` d', { a: 'b` c ' }],
    ['verbatim on many lines', 'a=` b\n# c\n\\\n d` e\nf=g', { a: ' b\n# c\n\\\n d', f: 'g' }],
    ['up to the last quote of that line', 'a=`b\nc` d ` e\nf=g', { a: 'b\nc` d ', f: 'g' }],
    ['many lines in three quotes', 'a="""b\nc"d\ne"""\nf=g', { a: 'b\nc"d\ne', f: 'g' }],
    ['three quotes and a line end', 'a="""\nb"""', { a: '\nb' }],
    ['three quotes at the end', 'a="""', { a: '"""' }],
    ['four quotes at the end', 'a=""""\nb"""', { a: '"\nb' }],

    ['continued', 'a=b \\\n  c\nd=e', { a: 'b c', d: 'e' }],
    ['continued twice', 'a=b\\\nc \\ \nd\ne=f', { a: 'bc d', e: 'f' }],
    ['a line that is not looked into', 'a=b\\\nc=d # e', { a: 'bc=d # e' }],
    ['continued with quotes', `a="b\\\nc"`, { a: '"bc"' }],
    ['continued with nothing', 'a=b\\\n\nc=d\ne=f\\', { a: 'b', c: 'd', e: 'f' }],
    ['continued with a backslash and nothing', 'a=b\\\n\\\nc\nd=e', { a: 'bc', d: 'e' }],
    ['backslash and comment', 'a=b\\ # c\nd=e', { a: 'b\\', d: 'e' }],
    ['comment and backslash', 'a=b # c\\\nd=e', { a: 'b # cd=e' }],
    ['nothing but a backslash', 'a=\\\nb', { a: 'b' }],
    ['backslash inside', 'a=b\\c\\\\d', { a: 'b\\c\\\\d' }],

    ['key in quotes', '"a = b" = c\n`d:e`:f', { 'a = b': 'c', 'd:e': 'f' }],
    ['key in three quotes', '"""a " b"""=c', { 'a " b': 'c' }],
    ['something between', '"a" b = c', { a: 'c' }],
    ['blanks in a quoted key', '" a "=b', { a: 'b' }],
    ['single quotes are part of a key', "'a'=b", { "'a'": 'b' }],

    ['keys without names', '-=a\n - = b\n"-"=c', { '#1': 'a', '#2': 'b', '#3': 'c' }],

    ['sections', 'a=b\n[s]\na=c\n-=d\n[t] # e', { a: 'b' }],
    ['the default section by its name', 'a=b\n[s]\na=c\n[DEFAULT]\nd=e', { a: 'b', d: 'e' }],
    ['numbers begin anew', '-=a\n[DEFAULT]\n-=b', { '#1': 'b' }],
    ['up to the last bracket', '[DEFAULT] # ]\na=b', {}],
    ['in another case', '[default]\na=b', {}],

    ['byte order mark', '\ufeffa=b', { a: 'b' }],
    ['half of one', '\u00ef=b', { '\u00ef': 'b' }],
    ['characters', 'ä=€ \u{1f600}', { ä: '€ \u{1f600}' }],
    ['control characters', 'a\x01=\x00b', { 'a\x01': '\x00b' }]
  ]
  for (const [name, text, values] of cases) t.same(parse(text), values, name)
})

t.test('bytes that are no UTF-8', async (t) => {
  t.same(parse(latin1('a\xff=b\xe2\x82')), { 'a\ufffd': 'b\ufffd\ufffd' })
  t.same(parse(latin1('a=\xe2\\\n\x82\xac')), { a: '€' }, 'joined they may be')
  t.same(parse(latin1('\xfe\xffa=b')), { a: 'b' })
  t.same(parse(latin1('\xff\xfea=b')), { a: 'b' })
  t.same(parse(latin1('\xef\xbba=b')), { '\ufffd\ufffda': 'b' }, 'half a byte order mark')
  t.equal(
    await refusalText(() => parse(latin1('a\xff=1\na\xfe=2'))),
    'invalid_request: ini: Duplicate key: not valid UTF-8'
  )
})

t.test('what is refused', async (t) => {
  const cases: readonly (readonly [name: string, text: string, message: string])[] = [
    ['no delimiter', 'a=b\nc\nd=e', 'key-value delimiter not found: c'],
    ['no delimiter in another section', '[s]\nc', 'key-value delimiter not found: c'],
    ['no delimiter behind quotes', '"a=b"', 'key-value delimiter not found: "a=b"'],
    ['no key', ' = a', 'empty key name: = a'],
    ['no key either', ':a', 'empty key name: :a'],
    ['empty quoted key', '""=a', 'error creating new key: empty key name'],
    ['open key', '"a=b', 'missing closing key quote: "a=b'],
    ['open key in three quotes', '"""a"=b', 'missing closing key quote: """a"=b'],
    ['open section', 'a=b\n[c', 'unclosed section: [c'],
    ['section without name', '[]', 'empty section name'],
    ['open value', 'a=`b\nc\nd', 'missing closing key quote: `b'],
    ['open value in three quotes', 'a="""b\n', 'missing closing key quote: """b'],
    ['zip', 'PK\x03\x04', 'key-value delimiter not found: PK\x03\x04'],
    ['long line', 'x'.repeat(5000), `key-value delimiter not found: ${'x'.repeat(100)}`]
  ]
  for (const [name, text, message] of cases) {
    t.equal(await refusalText(() => parse(text)), `invalid_request: ini: ${message}`, name)
  }
})

t.test('a megabyte of anything takes its time once', async (t) => {
  const size = 1 << 20
  for (const [name, text, expected] of [
    ['blanks', `a=${' '.repeat(size)}b`, 'b'],
    ['blanks inside', `a=b${' '.repeat(size)}c`, `b${' '.repeat(size)}c`],
    ['continued lines', `a=${'b\\\n'.repeat(size / 4)}c`, `${'b'.repeat(size / 4)}c`],
    ['verbatim lines', `a=\`${'b\n'.repeat(size / 4)}\``, 'b\n'.repeat(size / 4)],
    ['values', `${'a=b\n'.repeat(size / 4)}`, 'b'],
    ['quotes', `a=${'"'.repeat(size)}x"`, '"'.repeat(size - 6)]
  ] as const) {
    t.ok(parse(text)['a'] === expected, name)
  }
})

t.test('strangers text is read or refused', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const seed = Buffer.from(
    'a = b # c\n"d":`e\nf`\n[DEFAULT]\n-="g"\nh=i\\\n\u00a0j\n;k\nl="""m"""\n\u00ef\u00bf=n\n'
  )
  const pieces = ['"', '`', '"""', '\\\n', '\n', '=', ':', '#', ';', '[', ']', '-', "'", ' ', 'a']
  let read = 0
  const wrong: string[] = []
  for (let i = 0; i < 4000; i++) {
    const bytes =
      i % 2 === 0
        ? mutate(seed, random)
        : Buffer.from(Array.from({ length: random.below(30) }, () => random.pick(pieces)).join(''))
    const values = await unlessRefused(() => parseIni(bytes, 'ini'))
    if (values === undefined) continue
    read++
    for (const [key, value] of values) {
      if (key === '' || !key.isWellFormed() || !value.isWellFormed()) wrong.push(String(bytes))
    }
  }
  t.same(wrong, [])
  t.ok(read > 100)
})
