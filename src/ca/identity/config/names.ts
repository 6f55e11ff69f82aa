import {
  FULCIO_EXTENSION_NAMES,
  type FulcioExtensionName
} from '../../../x509/fulcio-extensions.js'

/** The two spellings a configuration can have. They are not interchangeable. @see fulcio §8 */
export type Spelling = 'json' | 'yaml'

/** A member of an object in the file: our name for it and its two spellings. */
export interface MemberName<Name extends string = string> {
  readonly name: Name
  readonly json: string
  readonly yaml: string
}

/** The last one holds nothing but YAML anchors, in the configuration Fulcio ships. @see fulcio §8.1 */
export const TOP_LEVEL_MEMBERS = [
  { name: 'issuers', json: 'OIDCIssuers', yaml: 'oidc-issuers' },
  { name: 'patterns', json: 'MetaIssuers', yaml: 'meta-issuers' },
  { name: 'ciProviders', json: 'CIIssuerMetadata', yaml: 'ci-issuer-metadata' },
  { name: 'anchors', json: 'define', yaml: 'define' }
] as const satisfies readonly MemberName[]

/** The last three are ours. @see fulcio §8.2 */
export const ISSUER_MEMBERS = [
  { name: 'issuerUrl', json: 'IssuerURL', yaml: 'issuer-url' },
  { name: 'clientId', json: 'ClientID', yaml: 'client-id' },
  { name: 'type', json: 'Type', yaml: 'type' },
  { name: 'ciProvider', json: 'CIProvider', yaml: 'ci-provider' },
  { name: 'issuerClaim', json: 'IssuerClaim', yaml: 'issuer-claim' },
  { name: 'subjectDomain', json: 'SubjectDomain', yaml: 'subject-domain' },
  { name: 'spiffeTrustDomain', json: 'SPIFFETrustDomain', yaml: 'spiffe-trust-domain' },
  { name: 'challengeClaim', json: 'ChallengeClaim', yaml: 'challenge-claim' },
  { name: 'description', json: 'Description', yaml: 'description' },
  { name: 'contact', json: 'Contact', yaml: 'contact' },
  { name: 'environment', json: 'Environment', yaml: 'environment' },
  { name: 'caCert', json: 'CACert', yaml: 'ca-cert' },
  { name: 'skipEmailVerification', json: 'SkipEmailVerification', yaml: 'skip-email-verification' },
  { name: 'caCertFile', json: 'CACertFile', yaml: 'ca-cert-file' },
  { name: 'jwksFile', json: 'JWKSFile', yaml: 'jwks-file' },
  { name: 'discoveryUrl', json: 'DiscoveryURL', yaml: 'discovery-url' }
] as const satisfies readonly MemberName[]

/** @see fulcio §8.4 */
export const CI_PROVIDER_MEMBERS = [
  { name: 'defaults', json: 'DefaultTemplateValues', yaml: 'default-template-values' },
  { name: 'extensions', json: 'ExtensionTemplates', yaml: 'extension-templates' },
  {
    name: 'subjectAlternativeName',
    json: 'SubjectAlternativeNameTemplate',
    yaml: 'subject-alternative-name-template'
  }
] as const satisfies readonly MemberName[]

/** @see fulcio §13 */
export const EXTENSION_MEMBERS: readonly MemberName<FulcioExtensionName>[] =
  FULCIO_EXTENSION_NAMES.map((name) => ({
    name,
    json: goName(name),
    yaml: name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  }))

/** Name of an extension as Go has it, and so JSON configurations and messages: `buildSignerUri` is `BuildSignerURI`. */
export function goName(name: FulcioExtensionName): string {
  const capitalised = name.slice(0, 1).toUpperCase() + name.slice(1)
  return capitalised.replace(/(?:Uri|Sha)$/, (acronym) => acronym.toUpperCase())
}
