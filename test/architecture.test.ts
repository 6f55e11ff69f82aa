import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import t from 'tap'
import ts from 'typescript'

// The shape of the project, as data. A change here is a change of the architecture and says so in its description.

const FORMATS = ['encoding', 'merkle', 'note', 'keys', 'x509', 'archive', 'entries']
const SERVICES = ['rekor', 'ct', 'ca', 'tsa', 'trust', 'tuf', 'witness', 'monitor']
const EDGE = ['config', 'http', 'web', 'client', 'cli']

/** Which folders (or files directly in src) each folder may import from, besides itself and ANYONE_MAY_IMPORT. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'metrics.ts': [],

  encoding: [],
  merkle: ['encoding'],
  note: ['encoding', 'merkle'],
  keys: ['encoding'],
  x509: ['encoding', 'keys'],
  archive: ['encoding'],
  entries: ['encoding', 'merkle', 'note', 'keys', 'x509', 'archive'],

  store: ['encoding', 'merkle', 'note', 'keys'],
  log: ['encoding', 'merkle', 'note', 'keys', 'store'],

  // A service knows no other: what it needs of one, it is handed as a function.
  rekor: [...FORMATS, 'store', 'log'],
  ct: [...FORMATS, 'store', 'log'],
  ca: FORMATS,
  tsa: FORMATS,
  trust: FORMATS, // what is published; tuf knows only how
  tuf: [...FORMATS, 'store'],
  witness: [...FORMATS, 'store'],
  monitor: [...FORMATS, 'store', 'client'],

  config: FORMATS,
  // What one data directory holds, made and changed as one: keys, trees, authorities, what is published of them.
  site: [...FORMATS, 'store', 'log', ...SERVICES, 'config'],
  client: FORMATS,
  http: [...FORMATS, ...SERVICES, 'config'],
  web: [...FORMATS, ...SERVICES, 'config'],
  cli: [...FORMATS, 'store', 'log', ...SERVICES, 'site', 'config', 'client'],

  // Threads that answer requests, each a small server over the log of another thread.
  front: [...FORMATS, 'store', 'log', 'rekor', 'http'],

  // The parts of server.ts.
  server: [...FORMATS, 'store', 'log', ...SERVICES, 'site', ...EDGE, 'front'],
  'server.ts': [...FORMATS, 'store', 'log', ...SERVICES, 'site', ...EDGE, 'front', 'server'],
  'main.ts': [
    ...FORMATS,
    'store',
    'log',
    ...SERVICES,
    'site',
    ...EDGE,
    'front',
    'server',
    'server.ts'
  ]
}

const ANYONE_MAY_IMPORT = ['errors.ts', 'metrics.ts']

/** These run unchanged in the browser: with all they import, they need no more than these packages. */
const BROWSER_FOLDERS = ['encoding', 'merkle', 'note']
const BROWSER_PACKAGES = ['@noble/hashes', 'cbor2']
const NODE_GLOBALS = ['Buffer', 'process', 'require', 'global', 'setImmediate', '__dirname']

/** Packages whose types and defaults stay inside one folder. */
const WRAPPED_PACKAGES: Readonly<Record<string, string>> = {
  pkijs: 'x509/',
  asn1js: 'x509/',
  openpgp: 'keys/',
  '@tufjs/models': 'tuf/',
  '@tufjs/canonical-json': 'tuf/',
  'better-sqlite3': 'store/',
  cbor2: 'encoding/',
  fflate: 'trust/'
}

/** Who may name `process.env`: config reads it, the others only pass it on. */
const ENVIRONMENT_READERS = ['config/', 'cli/', 'main.ts']

interface Module {
  /** Relative to src, with slashes, such as `merkle/hash.ts`. */
  readonly path: string
  /** First part of the path: a folder, or a file directly in src. */
  readonly part: string
  /** Modules of ours that it imports, for types or otherwise, relative to src. */
  readonly imports: readonly string[]
  /** Names of packages, such as `node:fs` and `@noble/hashes`. */
  readonly packages: readonly string[]
  /** Names used as values or types, without those that only follow a point. */
  readonly identifiers: ReadonlySet<string>
  readonly namesEnvironment: boolean
  /** False when there are only types in it. */
  readonly hasCode: boolean
}

const modules = new Map(
  sourceFiles('src').map((file) => {
    const module = readModule(file)
    return [module.path, module] as const
  })
)

function sourceFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?[jt]sx?$/.test(name))
    .map((name) => join(root, name))
    .sort()
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
}

function readModule(file: string): Module {
  const source = parse(file)
  const path = slashes(relative('src', file))
  const specifiers = importsOf(source)
  const identifiers = new Set<string>()
  let namesEnvironment = false
  visit(source, (node) => {
    const { parent } = node
    if (ts.isIdentifier(node) && !(ts.isPropertyAccessExpression(parent) && parent.name === node)) {
      identifiers.add(node.text)
    }
    if (ts.isPropertyAccessExpression(node) && node.name.text === 'env') {
      namesEnvironment ||= node.expression.getText() === 'process'
    }
    if (ts.isElementAccessExpression(node) && node.expression.getText() === 'process') {
      namesEnvironment = true
    }
  })
  return {
    path,
    part: path.split('/')[0] ?? path,
    imports: specifiers
      .filter((name) => name.startsWith('.'))
      .map((name) => slashes(normalize(join(dirname(path), name))).replace(/\.js$/, '.ts')),
    packages: specifiers.filter((name) => !name.startsWith('.')).map(packageName),
    identifiers,
    namesEnvironment: namesEnvironment || specifiers.includes('node:process'),
    hasCode: source.statements.some((statement) => !isTypeOnly(statement))
  }
}

/** Every module named in an import, an export from, or a call of import(). */
function importsOf(source: ts.SourceFile): string[] {
  const names: string[] = []
  visit(source, (node) => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      names.push(node.moduleSpecifier.text)
    } else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword ||
        node.expression.getText() === 'require')
    ) {
      const [argument] = node.arguments
      names.push(argument && ts.isStringLiteralLike(argument) ? argument.text : 'computed')
    } else if (ts.isImportTypeNode(node)) {
      names.push(node.argument.getText().slice(1, -1))
    }
  })
  return names
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node)
  node.forEachChild((child) => visit(child, see))
}

function isTypeOnly(statement: ts.Statement): boolean {
  return (
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isImportDeclaration(statement) ||
    (ts.isExportDeclaration(statement) && statement.isTypeOnly)
  )
}

/** `@noble/hashes/sha2.js` is of the package `@noble/hashes`. */
function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function slashes(path: string): string {
  return path.split(sep).join('/')
}

t.test('every part of src has its place in the table', (t) => {
  t.ok(modules.size > 50, `${modules.size} modules`)
  const parts = new Set([...modules.values()].map(({ part }) => part))
  t.same(
    [...parts].filter((part) => !Object.hasOwn(MAY_IMPORT, part)),
    []
  )
  t.same(
    Object.entries(MAY_IMPORT).flatMap(([part, others]) =>
      others.filter((other) => reaches(other, part)).map((other) => `${part} <-> ${other}`)
    ),
    [],
    'the table has no circle'
  )
  t.end()
})

/** Whether the table lets `from` depend on `to`, directly or through others. */
function reaches(from: string, to: string): boolean {
  return from === to || (MAY_IMPORT[from] ?? []).some((next) => next !== from && reaches(next, to))
}

t.test('who imports whom', (t) => {
  const wrong: string[] = []
  for (const { path, part, imports } of modules.values()) {
    for (const target of imports) {
      const other = target.split('/')[0] ?? target
      const allowed =
        other === part ||
        ANYONE_MAY_IMPORT.includes(other) ||
        (MAY_IMPORT[part] ?? []).includes(other)
      if (!allowed) wrong.push(`${path} imports ${target}`)
    }
  }
  t.same(wrong, [])
  t.end()
})

t.test('imports name modules that are there, as they are named when compiled', (t) => {
  const wrong: string[] = []
  for (const { path, imports, packages } of modules.values()) {
    for (const target of imports) {
      if (!modules.has(target)) wrong.push(`${path} imports ${target}, which is not in src`)
    }
    if (packages.includes('computed')) wrong.push(`${path} computes what it imports`)
  }
  t.same(wrong, [])
  t.end()
})

t.test('errors.ts and metrics.ts import nothing of ours', (t) => {
  for (const path of ANYONE_MAY_IMPORT) t.same(modules.get(path)?.imports ?? [], [], path)
  t.end()
})

t.test('encoding, merkle and note run in the browser', (t) => {
  const wrong: string[] = []
  let looked = 0
  for (const { path, part } of modules.values()) {
    if (!BROWSER_FOLDERS.includes(part)) continue
    for (const needed of closure(path)) {
      looked++
      const { packages, identifiers } = modules.get(needed) ?? { packages: [], identifiers: [] }
      for (const name of packages) {
        if (!BROWSER_PACKAGES.includes(name)) wrong.push(`${path} needs ${name} (${needed})`)
      }
      for (const name of identifiers) {
        if (NODE_GLOBALS.includes(name)) wrong.push(`${path} needs ${name} (${needed})`)
      }
    }
  }
  t.ok(looked > 20)
  t.same(wrong, [])
  t.end()
})

/** A module and all it imports, directly or through others. */
function closure(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen
  seen.add(path)
  for (const target of modules.get(path)?.imports ?? []) closure(target, seen)
  return seen
}

t.test('wrapped packages stay in their folder', (t) => {
  const wrong: string[] = []
  for (const { path, packages } of modules.values()) {
    for (const [name, folder] of Object.entries(WRAPPED_PACKAGES)) {
      if (packages.includes(name) && !path.startsWith(folder)) wrong.push(`${path} imports ${name}`)
    }
  }
  t.same(wrong, [])
  t.end()
})

t.test('packages are dependencies, not tools', (t) => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>
  }
  const wrong: string[] = []
  for (const { path, packages } of modules.values()) {
    for (const name of packages) {
      if (!name.startsWith('node:') && !Object.hasOwn(dependencies, name)) {
        wrong.push(`${path} imports ${name}`)
      }
    }
  }
  t.same(wrong, [])
  t.end()
})

t.test('only config reads the environment', (t) => {
  t.same(
    [...modules.values()]
      .filter(({ path, namesEnvironment }) => {
        return namesEnvironment && !ENVIRONMENT_READERS.some((reader) => path.startsWith(reader))
      })
      .map(({ path }) => path),
    []
  )
  t.end()
})

t.test('every format module has its own test, which loads it', (t) => {
  // The coverage map counts a module only with its own test, so a module without one would not be missed.
  const wrong: string[] = []
  let pairs = 0
  for (const { path, part, hasCode } of modules.values()) {
    if (!FORMATS.includes(part) || !hasCode) continue
    const test = `test/${path.replace(/\.ts$/, '.test.ts')}`
    if (!existsSync(test)) {
      wrong.push(`${path} has no ${test}`)
      continue
    }
    const loaded = importsOf(parse(test)).map((name) =>
      slashes(normalize(join(dirname(test), name)))
    )
    if (!loaded.includes(`src/${path.replace(/\.ts$/, '.js')}`))
      wrong.push(`${test} does not load it`)
    pairs++
  }
  t.ok(pairs > 10, `${pairs} pairs`)
  t.same(wrong, [])
  t.end()
})

t.test('there is no drawer', (t) => {
  const drawers = /(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.ts$)/
  t.same(
    [...modules.keys()].filter((path) => drawers.test(path)),
    []
  )
  t.end()
})
