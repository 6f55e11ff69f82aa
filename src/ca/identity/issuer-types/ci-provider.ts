import type { FulcioExtensionName } from '../../../x509/fulcio-extensions.js'
import { goName } from '../config/names.js'
import { createPrincipal, uriName } from '../principal.js'
import { refuseCertificate, refuseIdentity } from '../refusal.js'
import { evaluateCiValue } from '../templates/ci-value.js'
import { templateData } from '../templates/claim-text.js'
import type { IssuerType } from './issuer-type.js'

/** Any CI system, by the templates configured for it. */
export const ciProviderType: IssuerType = {
  name: 'ci-provider',
  challengeClaim: 'sub',
  identify({ issuer, subject, claims }, { ciProvider: name }, ciProviders) {
    const provider = ciProviders.get(name)
    if (provider === undefined) {
      throw refuseIdentity(`metadata not found for ci provider ${name}, issuer: ${issuer}`)
    }
    return createPrincipal(subject, () => {
      const { defaults, extensions, subjectAlternativeName } = provider
      if (subjectAlternativeName === undefined) {
        throw refuseCertificate(
          `SubjectAlternativeNameTemplate should not be empty. Issuer: ${issuer}`
        )
      }
      const data = templateData(defaults, claims)
      const uri = evaluateCiValue(subjectAlternativeName, data, {
        extensionName: 'SubjectAlternativeName',
        issuer
      })
      const values: Partial<Record<FulcioExtensionName, string>> = {}
      for (const [extension, value] of extensions) {
        values[extension] = evaluateCiValue(value, data, {
          extensionName: goName(extension),
          issuer
        })
      }
      return {
        subjectAlternativeName: uriName(uri),
        extensions: { ...values, issuer, subject }
      }
    })
  }
}
