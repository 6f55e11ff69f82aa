import t from 'tap'
import { formatClaim, templateData } from '../../../../src/ca/identity/templates/claim-text.js'
import { evaluateCiValue, parseCiValue } from '../../../../src/ca/identity/templates/ci-value.js'
import { encodeUtf8 } from '../../../../src/encoding/text.js'
import type { JsonValue } from '../../../../src/encoding/canonical-json.js'
import { fulcioVector } from '../../../helpers/fulcio-vectors.js'
import { mutate } from '../../../helpers/mutations.js'
import { seededRandom } from '../../../helpers/random.js'
import { refusal, refusalText, unlessRefused } from '../../../helpers/refusals.js'

interface TemplateVectors {
  readonly claims: Readonly<Record<string, string>>
  readonly defaults: Readonly<Record<string, string>>
  readonly cases: readonly {
    readonly template: string
    readonly result?: string
    readonly error?: boolean
  }[]
  readonly claimToString: readonly { readonly json: JsonValue; readonly text: string }[]
}

const vectors = fulcioVector<TemplateVectors>('templates.json')
const context = { extensionName: 'BuildTrigger', issuer: 'https://iss.example.com' }
const data = templateData(new Map(Object.entries(vectors.defaults)), vectors.claims)
const render = (text: string): string => evaluateCiValue(parseCiValue(text), data, context)

t.test('every vector', async (t) => {
  t.equal(vectors.cases.length, 18)
  for (const { template, result, error } of vectors.cases) {
    if (error === true)
      t.equal((await refusal(() => render(template))).code, 'invalid_request', template)
    else t.equal(render(template), result, template)
  }
})

t.test('claims as texts', (t) => {
  t.equal(vectors.claimToString.length, 12)
  const more: readonly (readonly [JsonValue, string])[] = [
    [1e21, '1000000000000000000000'],
    [123456789012345680000, '123456789012345680000'],
    [1.5e300, `15${'0'.repeat(299)}`],
    [1e-7, '0.0000001'],
    [-1.25e-9, '-0.00000000125'],
    [-0, '-0'],
    [0.1, '0.1'],
    [[1e6, null, [true]], '[1000000 <nil> [true]]'],
    [{}, 'map[]'],
    [{ b: { d: 1, c: [] }, a: '' }, 'map[a: b:map[c:[] d:1]]']
  ]
  for (const { json, text } of vectors.claimToString) t.equal(formatClaim(json), text)
  for (const [json, text] of more) t.equal(formatClaim(json), text)
  t.end()
})

t.test('what the language has', (t) => {
  const cases: Readonly<Record<string, string>> = {
    'a {{- " b " -}} c': 'a b c',
    '{{"{{"}}': '{{',
    '{{"}}"}}': '}}',
    '{{`"raw\\n"`}}': '"raw\\n"',
    '{{"a\\n\\t\\"\\\\"}}': 'a\n\t"\\',
    'a{{/* }} a comment */}}b': 'ab',
    'a {{- /* trimmed */ -}} b': 'ab',
    '{{if .empty_value}}full{{else}}empty{{end}}': 'empty',
    '{{if .aud}}full{{end}}': 'full',
    '{{if eq .aud "x" "sigstore"}}one of them{{end}}': 'one of them',
    '{{if ne .aud "sigstore"}}a{{else if eq .ref_type "tag"}}b{{else}}c{{end}}': 'c',
    '{{if ne .aud "x"}}a{{else if eq .ref_type "branch"}}b{{end}}': 'a',
    '{{if eq .aud "x"}}{{if eq .aud "x"}}a{{end}}{{else}}b{{end}}': 'b',
    '{{eq .aud "sigstore"}}': 'true',
    '{{(eq .aud "x")}}': 'false',
    '{{((index . "aud"))}}': 'sigstore',
    '{{\n.aud\n}}': 'sigstore',
    '{{if(eq .aud "sigstore")}}x{{end}}': 'x',
    'literal }} braces {{ .aud }}': 'literal }} braces sigstore'
  }
  for (const [template, result] of Object.entries(cases))
    t.equal(render(template), result, template)
  t.end()
})

t.test('a branch that is not taken may name what is not there', (t) => {
  t.equal(render('{{if eq .aud "x"}}{{.absent}}{{else}}ok{{end}}'), 'ok')
  t.end()
})

t.test('refused when read', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    '{{': 'unclosed action',
    '{{.unclosed': 'unclosed action',
    '{{ .a': 'unclosed action',
    '{{"a': '"\\"" is not supported',
    '{{`a': '"`" is not supported',
    '{{"a\nb"}}': '"\\"" is not supported',
    '{{"\\x41"}}': 'escape \\x is not supported',
    '{{}}': 'missing value for command',
    '{{()}}': 'missing value for command',
    '{{if}}{{end}}': 'missing value for command',
    '{{if .a}}': '{{if}} without {{end}}',
    '{{if .a}}{{else}}': '{{else}} without {{end}}',
    '{{if .a}}{{else}}{{else}}{{end}}': '{{else}} without {{end}}',
    '{{end}}': 'unexpected {{end}}',
    'a{{else}}': 'unexpected {{else}}',
    '{{if .a}}{{else with .b}}{{end}}': 'unexpected text after else',
    '{{.}}': '. is not supported here',
    '{{if eq . ""}}a{{end}}': '. is not supported here',
    '{{.a.b}}': 'values must be separated by blanks',
    '{{.a .b}}': 'only a function can have arguments',
    '{{.a"b"}}': 'values must be separated by blanks',
    '{{.a-b}}': '"-" is not supported',
    '{{-.a}}': '"-" is not supported',
    '{{.a-}}': '"-" is not supported',
    '{{eq .a}}': 'wrong number of args for eq',
    '{{eq}}': 'wrong number of args for eq',
    '{{ne .a .b .c}}': 'wrong number of args for ne',
    '{{eq (eq .a .b) "true"}}': 'incompatible types for comparison',
    '{{eq .a 1}}': '"1" is not supported',
    '{{eq .a true}}': '"true" is not supported here',
    '{{index .a "b"}}': 'index is supported as {{index . "key"}} only',
    '{{index . .a}}': 'index is supported as {{index . "key"}} only',
    '{{index . "a" "b"}}': 'index is supported as {{index . "key"}} only',
    '{{(.a}}': 'unclosed left paren',
    '{{.a)}}': ') is not supported here',
    '{{printf "%s" .a}}': '"printf" is not supported',
    '{{range .a}}{{end}}': '"range" is not supported',
    '{{define "a"}}{{end}}': '"define" is not supported',
    '{{.a | print}}': '"|" is not supported',
    '{{$x := .a}}': '"$" is not supported',
    "{{'a'}}": `"'" is not supported`
  }
  for (const [template, problem] of Object.entries(cases)) {
    const text = await refusalText(() => parseCiValue(template))
    t.ok(
      text.startsWith(`invalid_request: template ${JSON.stringify(template)}: ${problem}, at `),
      text
    )
  }
})

t.test('nesting has a limit', async (t) => {
  const nested = (depth: number): string => '{{if .aud}}'.repeat(depth) + '{{end}}'.repeat(depth)
  t.equal(render(nested(20)), '')
  const deepest = ['('.repeat(50_000), nested(5_000).replaceAll('}}{{', '}} {{')]
  for (const template of [
    `{{${deepest[0]}`,
    deepest[1] ?? '',
    `{{${'('.repeat(500)}.a${')'.repeat(500)}}}`
  ]) {
    t.equal((await refusal(() => parseCiValue(template))).code, 'invalid_request')
  }
})

t.test('messages of missing names', async (t) => {
  t.equal(
    await refusalText(() => render('ü\n{{ .nobody_has_such_a_claim }}')),
    'invalid_request: template: :2:3: executing "" at <.nobody_has_such_a_c...>: ' +
      'map has no entry for key "nobody_has_such_a_claim"'
  )
  t.equal(
    await refusalText(() => render('toString')),
    'invalid_request: value <toString> not present in either claims or defaults. ' +
      '{\n\t"ExtensionName": "BuildTrigger",\n\t"Issuer": "https://iss.example.com"\n}'
  )
  t.equal((await refusal(() => render('{{.constructor}}'))).code, 'invalid_request')
})

t.test('claims win over defaults, and every claim counts', (t) => {
  const claims = JSON.parse('{"a": 1, "__proto__": "p", "b": null}') as Record<string, JsonValue>
  const some = templateData(
    new Map([
      ['a', 'default'],
      ['c', 'default']
    ]),
    claims
  )
  t.same(
    [...some],
    [
      ['a', '1'],
      ['c', 'default'],
      ['__proto__', 'p'],
      ['b', '<nil>']
    ]
  )
  t.end()
})

t.test('fuzz: nothing but LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const samples = [
    'refs/{{if eq .ref_type "branch"}}heads/{{ else }}tags/{{end}}{{ .ref_gitlab }}',
    '{{ .aud }}/{{(index . "with.dot.and/slash")}}',
    'a {{- /* c */ -}} {{ne .aud `x`}}{{if .a}}{{else if .b}}{{end}}'
  ].map(encodeUtf8)
  let rendered = 0
  for (let i = 0; i < 3000; i++) {
    const template = Buffer.from(mutate(random.pick(samples), random)).toString('latin1')
    const text = await unlessRefused(() => render(template))
    if (text !== undefined) rendered++
  }
  t.ok(rendered > 0, `${rendered} of 3000 rendered`)
})
