import { LogError } from '../../../errors.js'
import type { FulcioExtensionName } from '../../../x509/fulcio-extensions.js'
import { type CiValue, parseCiValue } from '../templates/ci-value.js'
import { deepFreeze } from './deep-freeze.js'
import type {
  CiProvider,
  FixedIssuer,
  IdentityConfig,
  Issuer,
  IssuerPattern
} from './identity-config.js'
import { issuerExpression } from './issuer-pattern.js'
import { MemberReader, type Members } from './members.js'
import {
  CI_PROVIDER_MEMBERS,
  EXTENSION_MEMBERS,
  goName,
  ISSUER_MEMBERS,
  TOP_LEVEL_MEMBERS
} from './names.js'
import { readConfigDocument } from './read-document.js'
import { parseClaimPath, validateIssuers } from './validate.js'

/**
 * Reads a configuration in the file format of Fulcio, JSON or YAML. Pure: files it names are not looked at.
 *
 * @throws LogError `invalid_request` with one line for each problem, `parse: …` or `validate: …`
 * @see fulcio §8
 */
export function parseIdentityConfig(text: string): IdentityConfig {
  const { spelling, content } = readConfigDocument(text)
  const reader = new MemberReader(spelling)
  const top = reader.members(content, '', TOP_LEVEL_MEMBERS)

  const issuers = reader.entries(top.get('issuers'), title('issuers')).map(([key, value]) => {
    return { key, ...readIssuer(reader, value, place('issuers', key)) }
  })
  const patterns = reader.entries(top.get('patterns'), title('patterns')).map(([key, value]) => ({
    pattern: key,
    expression: issuerExpression(key),
    issuer: { ...readIssuer(reader, value, place('patterns', key)), issuerUrl: '' }
  }))
  const providers = reader
    .entries(top.get('ciProviders'), title('ciProviders'))
    .map(([key, value]) => [key, readCiProvider(reader, value, place('ciProviders', key))] as const)

  if (issuers.length + patterns.length === 0) {
    const other = spelling === 'json' ? 'yaml' : 'json'
    reader.problem(
      `no issuers configured; a ${spelling.toUpperCase()} file has them under ` +
        `${TOP_LEVEL_MEMBERS[0][spelling]}, not ${TOP_LEVEL_MEMBERS[0][other]}`
    )
  }
  const config = {
    issuers,
    patterns,
    ciProviders: new Map(providers),
    warnings: [...reader.warnings, ...warnings(issuers, patterns, providers)]
  }
  const problems = [...reader.problems, ...validateIssuers(issuers, patterns)]
  if (problems.length > 0) throw new LogError('invalid_request', problems.join('\n'))
  return deepFreeze(config)
}

type TopLevelName = (typeof TOP_LEVEL_MEMBERS)[number]['name']

/** Where something stands, under the names of the JSON spelling, which people know from Fulcio's documents. */
function title(section: TopLevelName): string {
  return TOP_LEVEL_MEMBERS.find(({ name }) => name === section)?.json ?? section
}

function place(section: TopLevelName, key: string): string {
  return `${title(section)}[${JSON.stringify(key)}]`
}

function readIssuer(reader: MemberReader, value: unknown, where: string): Issuer {
  const members = reader.members(value, where, ISSUER_MEMBERS)
  const text = (name: (typeof ISSUER_MEMBERS)[number]['name']): string =>
    reader.text(members, name, `${where}.${jsonName(name)}`)
  const issuerClaim = text('issuerClaim')
  return {
    issuerUrl: text('issuerUrl'),
    clientId: text('clientId'),
    type: text('type'),
    ciProvider: text('ciProvider'),
    issuerClaim: issuerClaim === '' ? undefined : parseClaimPath(issuerClaim),
    subjectDomain: text('subjectDomain'),
    spiffeTrustDomain: text('spiffeTrustDomain'),
    challengeClaim: text('challengeClaim'),
    description: text('description'),
    contact: text('contact'),
    environment: text('environment'),
    caCert: text('caCert'),
    skipEmailVerification: reader.flag(
      members,
      'skipEmailVerification',
      `${where}.SkipEmailVerification`
    ),
    caCertFile: text('caCertFile'),
    jwksFile: text('jwksFile'),
    discoveryUrl: text('discoveryUrl')
  }
}

function jsonName(name: string): string {
  return ISSUER_MEMBERS.find((member) => member.name === name)?.json ?? name
}

function readCiProvider(reader: MemberReader, value: unknown, where: string): CiProvider {
  const members = reader.members(value, where, CI_PROVIDER_MEMBERS)
  const defaults = reader
    .entries(members.get('defaults'), `${where}.DefaultTemplateValues`)
    .map(([name, text]) => {
      const at = `${where}.DefaultTemplateValues[${JSON.stringify(name)}]`
      return [name, reader.asText(text, at)] as const
    })
  const templates = `${where}.ExtensionTemplates`
  const texts = reader.members(members.get('extensions'), templates, EXTENSION_MEMBERS)
  const extensions = new Map<FulcioExtensionName, CiValue>()
  for (const { name } of EXTENSION_MEMBERS) {
    const at = `${templates}.${goName(name)}`
    const ciValue = readCiValue(reader, texts, name, at)
    if (ciValue === undefined) continue
    // These two come from the token, whatever is configured.
    if (name === 'issuer' || name === 'subject') reader.warn(`${at} has no effect`)
    else extensions.set(name, ciValue)
  }
  return {
    defaults: new Map(defaults),
    extensions,
    subjectAlternativeName: readCiValue(
      reader,
      members,
      'subjectAlternativeName',
      `${where}.SubjectAlternativeNameTemplate`
    )
  }
}

/** A template or name; undefined when there is none or it is blank. */
function readCiValue<Name extends string>(
  reader: MemberReader,
  members: Members<Name>,
  name: Name,
  where: string
): CiValue | undefined {
  const text = reader.text(members, name, where)
  if (text.trim() === '') return undefined
  return reader.attempt(where, () => parseCiValue(text))
}

/** What loads and does not do what somebody may expect. */
function warnings(
  issuers: readonly FixedIssuer[],
  patterns: readonly IssuerPattern[],
  providers: readonly (readonly [string, CiProvider])[]
): readonly string[] {
  const all = [
    ...issuers.map((issuer) => ({ issuer, where: place('issuers', issuer.key) })),
    ...patterns.map(({ pattern, issuer }) => ({ issuer, where: place('patterns', pattern) }))
  ]
  const mismatches = issuers
    .filter(({ key, issuerUrl }) => key !== issuerUrl)
    .map(({ key, issuerUrl }) => {
      return `${place('issuers', key)} matches no token: its IssuerURL is "${issuerUrl}"`
    })
  const withoutAudience = all
    .filter(({ issuer }) => issuer.clientId === '')
    .map(({ where }) => `${where} has no ClientID and so refuses every token`)
  const withoutProvider = all
    .filter(({ issuer }) => issuer.type === 'ci-provider')
    .filter(({ issuer }) => !providers.some(([name]) => name === issuer.ciProvider))
    .map(({ issuer, where }) => {
      return `${where} refuses every token: CIIssuerMetadata has no "${issuer.ciProvider}"`
    })
  const withoutName = providers
    .filter(([, provider]) => provider.subjectAlternativeName === undefined)
    .map(([name]) => `${place('ciProviders', name)} has no SubjectAlternativeNameTemplate`)
  return [...mismatches, ...withoutAudience, ...withoutProvider, ...withoutName]
}
