import { shellWord } from '../encoding/shell.js'
import type { ClientGuide } from './bootstrap-contract.js'

/** What the lines for clients are made of. URLs without a slash at the end. */
export interface GuideFacts {
  readonly publicUrl: string
  readonly tufUrl: string
  readonly rekorUrl: string
  /** Hex. */
  readonly rootSha256: string
  /** Names of all downloads. */
  readonly fileNames: readonly string[]
  /** Undefined where no certificates are issued: then everybody signs with keys. */
  readonly keyless: { readonly fulcioUrl: string; readonly issuer: string } | undefined
  /** Complete; undefined where there are no timestamps. */
  readonly tsaUrl: string | undefined
  /** Whether certificates carry SCTs of a log that clients are told of. */
  readonly hasCtLog: boolean
}

// No comment behind a command, and nothing special in one: an interactive zsh reads them as words.
const HELLO = 'echo hello > hello.txt'
/** Somebody has to be named; every client compares it with the certificate. */
const WHO = ['# Whom the certificate has to name:', 'WHO=you@example.com']

/** The files first, then each client. Lines run from top to bottom in the directory that the first ones make. */
export function clientGuides(facts: GuideFacts): readonly ClientGuide[] {
  return [
    filesGuide(facts),
    cosign3Guide(facts),
    cosign2Guide(facts),
    ...gitsignGuides(facts),
    rekorCliGuide(facts),
    sigstoreGoGuide(facts),
    ...sigstoreJsGuides(facts),
    ...sigstorePythonGuides(facts),
    policyControllerGuide(facts),
    kyvernoGuide(facts)
  ]
}

/** Of the guide that fetches the files: where they have come in an archive, there is nothing to fetch. */
export const FILES_GUIDE = 'files'

function filesGuide({ publicUrl, rootSha256, fileNames }: GuideFacts): ClientGuide {
  return {
    id: FILES_GUIDE,
    title: 'The files, first',
    note: 'Compare the hash in the last line with what the operator told you by another way than this server. All other lines run in this directory. On macOS, sha256sum is called shasum -a 256.',
    lines: text([
      'mkdir -p sigstead-trust && cd sigstead-trust',
      `for file in ${fileNames.map(shellWord).join(' ')}; do`,
      `  curl -sSfO ${shellWord(`${publicUrl}/bootstrap/`)}"$file"`,
      'done',
      `echo ${shellWord(`${rootSha256}  root.json`)} | sha256sum -c`
    ]),
    documents: []
  }
}

function cosign3Guide(facts: GuideFacts): ClientGuide {
  const stamped = flags(facts.tsaUrl !== undefined && '--use-signed-timestamps')
  const withFiles = '--trusted-root trusted_root.json'
  return {
    id: 'cosign-3',
    title: 'cosign 3',
    note: `Everything comes from the TUF mirror, which must be reachable each time; the last lines do without it. Images are signed and verified with the same flags. ${tokenNote(facts)}`,
    lines: text([
      `cosign initialize --mirror ${shellWord(facts.tufUrl)} --root root.json`,
      HELLO,
      ...keylessOnly(facts, ({ expected }) => [
        '',
        '# With a certificate:',
        ...WHO,
        'cosign sign-blob --yes --bundle hello.sigstore.json hello.txt',
        `cosign verify-blob ${expected}${ignoreSct(facts)}${stamped} --bundle hello.sigstore.json hello.txt`
      ]),
      ...ownKey([
        'cosign sign-blob --yes --key cosign.key --bundle hello.key.sigstore.json hello.txt',
        `cosign verify-blob --key cosign.pub${stamped} --bundle hello.key.sigstore.json hello.txt`
      ]),
      '',
      '# From files alone:',
      `cosign sign-blob --yes --key cosign.key --signing-config signing_config.v0.2.json ${withFiles} --bundle hello.files.sigstore.json hello.txt`,
      `cosign verify-blob --key cosign.pub ${withFiles}${stamped} --bundle hello.files.sigstore.json hello.txt`
    ]),
    documents: []
  }
}

function cosign2Guide(facts: GuideFacts): ClientGuide {
  const { tufUrl, rekorUrl, tsaUrl } = facts
  const rekor = `--rekor-url ${shellWord(rekorUrl)}`
  const stampTo = (file: string) =>
    flags(
      tsaUrl !== undefined &&
        `--timestamp-server-url ${shellWord(tsaUrl)} --rfc3161-timestamp ${file}`
    )
  const stamped = (file: string) =>
    flags(tsaUrl !== undefined && `--rfc3161-timestamp ${file} --use-signed-timestamps`)
  const skipSct = flags(!facts.hasCtLog && '--insecure-skip-verify')
  return {
    id: 'cosign-2',
    title: 'cosign 2',
    note: `It takes the addresses of the services as flags, always, or it asks the public ones. After a rotation, fetch the files and run the first line again: it looks at the mirror by itself only when what it has expires. Timestamps of a replaced authority are verified with --timestamp-certificate-chain and its older tsa-chain file. Where the mirror cannot be reached, ". ./cosign.env" in place of the first line: it knows the keys in use only. ${tokenNote(facts)}`,
    lines: text([
      `cosign initialize --mirror ${shellWord(tufUrl)} --root root.json`,
      HELLO,
      ...keylessOnly(facts, ({ fulcioUrl, issuer, expected }) => [
        '',
        '# With a certificate:',
        ...WHO,
        `cosign sign-blob --yes --fulcio-url ${shellWord(fulcioUrl)} ${rekor} --oidc-issuer ${shellWord(issuer)}${skipSct}${stampTo('hello.ts.json')} --bundle hello.bundle hello.txt`,
        `cosign verify-blob ${expected}${ignoreSct(facts)}${stamped('hello.ts.json')} --bundle hello.bundle hello.txt`
      ]),
      ...ownKey([
        `cosign sign-blob --yes --key cosign.key ${rekor}${stampTo('hello.key.ts.json')} --bundle hello.key.bundle hello.txt`,
        `cosign verify-blob --key cosign.pub${stamped('hello.key.ts.json')} --bundle hello.key.bundle hello.txt`
      ]),
      '',
      '# In the format that cosign 3 and the libraries read:',
      `cosign sign-blob --yes --key cosign.key ${rekor} --new-bundle-format --bundle hello.new.sigstore.json hello.txt`,
      'cosign verify-blob --key cosign.pub --new-bundle-format --trusted-root trusted_root.json --bundle hello.new.sigstore.json hello.txt'
    ]),
    documents: ['cosign.env']
  }
}

function gitsignGuides(facts: GuideFacts): readonly ClientGuide[] {
  const { tufUrl, rekorUrl, tsaUrl } = facts
  const lines = keylessOnly(facts, ({ fulcioUrl, issuer, expected }) => [
    '. ./cosign.env',
    `gitsign initialize --mirror ${shellWord(tufUrl)} --root root.json`,
    '',
    '# A repository to try it in. The same settings in yours:',
    'git init --quiet hello-repository && cd hello-repository',
    'git config gpg.format x509',
    'git config gpg.x509.program gitsign',
    'git config commit.gpgsign true',
    `git config gitsign.fulcio ${shellWord(fulcioUrl)}`,
    `git config gitsign.rekor ${shellWord(rekorUrl)}`,
    `git config gitsign.issuer ${shellWord(issuer)}`,
    ...(tsaUrl === undefined
      ? []
      : [
          `git config gitsign.timestampServerURL ${shellWord(tsaUrl)}`,
          'git config gitsign.timestampCertChain "$PWD/../tsa-all.pem"'
        ]),
    "git commit --allow-empty -m 'A signed commit'",
    ...WHO,
    `gitsign verify ${expected} HEAD`,
    'cd ..'
  ])
  if (lines.length === 0) return []
  return [
    {
      id: 'gitsign',
      title: 'gitsign 0.13 and 0.16',
      note: `Version 0.16 wants both the variables of cosign.env and the TUF mirror; 0.13 is content with either. The variables know the keys in use only: to verify commits from before a rotation, leave them out with 0.13, and with 0.16 let SIGSTORE_CT_LOG_PUBLIC_KEY_FILE name the older ctfe file. They are for gitsign and cosign 2: cosign 3 refuses its own bundles while they are set.${noSctNote(facts)} ${tokenNote(facts)}`,
      lines: text(lines),
      documents: ['cosign.env']
    }
  ]
}

function rekorCliGuide({ rekorUrl }: GuideFacts): ClientGuide {
  return {
    id: 'rekor-cli',
    title: 'rekor-cli',
    note: 'With the key in the variable it believes no other; without, whatever key the server hands out. Older trees may have older keys: leave the variable out for their entries.',
    lines: text([
      `export REKOR_REKOR_SERVER=${shellWord(rekorUrl)}`,
      'export REKOR_REKOR_SERVER_PUBLIC_KEY="$(cat rekor.pub)"',
      'rekor-cli loginfo',
      'rekor-cli get --log-index 0'
    ]),
    documents: []
  }
}

function sigstoreGoGuide(facts: GuideFacts): ClientGuide {
  const { tufUrl, tsaUrl } = facts
  const mirror = `-tufRootURL ${shellWord(tufUrl)} -tufTrustedRoot root.json`
  const tsa = flags(tsaUrl !== undefined && '-tsa')
  const keyless = keylessOnly(facts, ({ issuer }) => [
    '# With a certificate, for the token in SIGSTORE_ID_TOKEN:',
    HELLO,
    ...WHO,
    `sigstore-go-signing -signing-config signing_config.v0.2.json -trusted-root trusted_root.json -rekor${tsa} -id-token "$SIGSTORE_ID_TOKEN" hello.txt | tail -n 1 > hello.go.sigstore.json`,
    `sigstore-go-verification -artifact hello.txt ${mirror}${flags(!facts.hasCtLog && '-requireCTlog=false')} -expectedIssuer ${shellWord(issuer)} -expectedSAN "$WHO" hello.go.sigstore.json`,
    ''
  ])
  return {
    id: 'sigstore-go',
    title: 'sigstore-go 1.3',
    note: 'The example programs. In a program of your own: tuf.Options with Root (the content of root.json) and RepositoryBaseURL, then root.GetTrustedRoot and root.GetSigningConfig.',
    lines: text([
      ...keyless,
      '# What cosign signed with a key above:',
      `sigstore-go-verification -artifact hello.txt -publicKey cosign.pub -requireCTlog=false ${mirror} hello.key.sigstore.json`,
      '',
      '# Without the mirror:',
      'sigstore-go-verification -artifact hello.txt -publicKey cosign.pub -requireCTlog=false -trustedrootJSONpath trusted_root.json hello.key.sigstore.json'
    ]),
    documents: []
  }
}

/** The script takes all addresses as arguments, so that none of them is read as JavaScript. */
function sigstoreJsGuides(facts: GuideFacts): readonly ClientGuide[] {
  const { rekorUrl, tufUrl, tsaUrl } = facts
  const lines = keylessOnly(facts, ({ fulcioUrl, issuer }) => [
    HELLO,
    ...WHO,
    'npm install sigstore',
    `node --input-type=module - "$WHO" ${[issuer, fulcioUrl, rekorUrl, tufUrl, ...(tsaUrl === undefined ? [] : [tsaUrl])].map(shellWord).join(' ')} <<'EOF'`,
    "import { readFileSync, writeFileSync } from 'node:fs'",
    "import { sign, verify } from 'sigstore'",
    'const [certificateIdentityEmail, certificateIssuer, ...urls] = process.argv.slice(2)',
    'const [fulcioURL, rekorURL, tufMirrorURL, tsaServerURL] = urls',
    "const data = readFileSync('hello.txt')",
    'const identityToken = process.env.SIGSTORE_ID_TOKEN',
    'const bundle = await sign(data, { fulcioURL, rekorURL, tsaServerURL, identityToken })',
    "writeFileSync('hello.js.sigstore.json', JSON.stringify(bundle))",
    "const trust = { tufMirrorURL, tufRootPath: 'root.json' }",
    `await verify(bundle, data, { ...trust, certificateIdentityEmail, certificateIssuer${facts.hasCtLog ? '' : ', ctLogThreshold: 0'} })`,
    "console.log('verified')",
    'EOF'
  ])
  if (lines.length === 0) return []
  return [
    {
      id: 'sigstore-js',
      title: 'sigstore-js',
      note: 'The token comes from SIGSTORE_ID_TOKEN. Certificates for a URI are verified with certificateIdentityURI. npm itself (npm publish --provenance, npm audit signatures) cannot be pointed at another Sigstore.',
      lines: text(lines),
      documents: []
    }
  ]
}

function sigstorePythonGuides(facts: GuideFacts): readonly ClientGuide[] {
  const instance = `sigstore --instance ${shellWord(facts.tufUrl)}`
  const lines = keylessOnly(facts, ({ issuer }) => [
    HELLO,
    ...WHO,
    `${instance} trust-instance root.json`,
    `${instance} sign --bundle hello.py.sigstore.json hello.txt`,
    `${instance} verify identity --cert-identity "$WHO" --cert-oidc-issuer ${shellWord(issuer)} --bundle hello.py.sigstore.json hello.txt`,
    '',
    '# Without the mirror:',
    `sigstore --trust-config client_trust_config.json verify identity --cert-identity "$WHO" --cert-oidc-issuer ${shellWord(issuer)} --bundle hello.py.sigstore.json hello.txt`
  ])
  if (lines.length === 0) return []
  const { pathname } = new URL(facts.keyless?.fulcioUrl ?? facts.publicUrl)
  const prefix =
    pathname === '/'
      ? ''
      : ' It asks for certificates at the root of the host and passes over the path in the address: this server has to answer there, too.'
  return [
    {
      id: 'sigstore-python',
      title: 'sigstore-python 4',
      note: `Tools built on it, such as model_signing, take client_trust_config.json with --trust-config. A token is taken from SIGSTORE_IDENTITY_TOKEN.${prefix}${noSctNote(facts)}`,
      lines: text(lines),
      documents: []
    }
  ]
}

function policyControllerGuide(facts: GuideFacts): ClientGuide {
  return {
    id: 'policy-controller',
    title: 'policy-controller',
    note: `A TrustRoot that follows the TUF mirror, which the cluster must reach, and a ClusterImagePolicy for images that cosign 3 signed. It only warns; read it, and say whose images have to be signed by whom.${facts.keyless === undefined ? ' It wants signatures of the key in the secret cosign-key.' : ''}`,
    lines: text([
      'kubectl apply -f policy-controller.yaml',
      '# Policies hold in namespaces with this label only:',
      `kubectl label namespace "\${NAMESPACE:-default}" policy.sigstore.dev/include=true`
    ]),
    documents: ['policy-controller.yaml']
  }
}

function kyvernoGuide(facts: GuideFacts): ClientGuide {
  return {
    id: 'kyverno',
    title: 'Kyverno',
    note: `A ClusterPolicy with the keys in it, for images that cosign 2 signed; after a rotation it has to be applied again. It only audits; read it first. Images that cosign 3 signed need "type: SigstoreBundle" in the rule and the second line, which tells Kyverno of the TUF mirror.${facts.keyless === undefined ? ' It wants signatures of the key in the secret cosign-key.' : ''}`,
    lines: text([
      'kubectl apply -f kyverno.yaml',
      'helm upgrade kyverno kyverno/kyverno --namespace kyverno --reuse-values --values kyverno-values.yaml'
    ]),
    documents: ['kyverno.yaml', 'kyverno-values.yaml']
  }
}

/** Lines of whoever needs certificates; none where there are none. */
function keylessOnly(
  { keyless }: GuideFacts,
  lines: (
    facts: NonNullable<GuideFacts['keyless']> & { readonly expected: string }
  ) => readonly string[]
): readonly string[] {
  if (keyless === undefined) return []
  const issuer = shellWord(keyless.issuer)
  const expected = `--certificate-identity "$WHO" --certificate-oidc-issuer ${issuer}`
  return lines({ ...keyless, expected })
}

function ownKey(lines: readonly string[]): readonly string[] {
  return [
    '',
    '# With a key of your own, made with an empty password here:',
    'export COSIGN_PASSWORD=',
    '[ -e cosign.key ] || cosign generate-key-pair',
    ...lines
  ]
}

function ignoreSct({ hasCtLog }: GuideFacts): string {
  return flags(!hasCtLog && '--insecure-ignore-sct')
}

function noSctNote({ hasCtLog }: GuideFacts): string {
  return hasCtLog ? '' : ' It insists on a CT log, and this server has none.'
}

function tokenNote({ keyless }: GuideFacts): string {
  return keyless === undefined
    ? 'No certificates are issued here, so signatures are made with keys.'
    : 'Without a token in SIGSTORE_ID_TOKEN it sends you to the issuer to log in.'
}

/** With a space in front, so that nothing is left of what does not apply. */
function flags(wanted: string | false): string {
  return wanted === false ? '' : ` ${wanted}`
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
