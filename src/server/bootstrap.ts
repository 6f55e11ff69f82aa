import { encodeUtf8 } from '../encoding/text.js'
import { buildBootstrap } from '../trust/bootstrap.js'
import type { BootstrapContent } from '../trust/bootstrap-contract.js'
import type { TrustState } from '../trust/contract.js'
import { buildDownloads } from '../trust/downloads.js'
import type { TufRepository } from '../tuf/contract.js'
import { expiries } from '../tuf/expiry.js'
import { listFiles } from '../tuf/list-files.js'
import type { OpenTrust } from './trust.js'

/** What `/bootstrap` gives: made once for as long as nothing changes. @param issuers whose ID tokens are believed */
export function createBootstrap(
  trust: Pick<OpenTrust, 'state' | 'repository' | 'publicUrl'>,
  issuers: readonly string[]
): () => BootstrapContent {
  let made:
    | {
        readonly state: TrustState
        readonly repository: TufRepository
        readonly content: BootstrapContent
      }
    | undefined
  return () => {
    const [state, repository] = [trust.state(), trust.repository()]
    if (made?.state !== state || made.repository !== repository) {
      const content = buildBootstrap({
        publicUrl: trust.publicUrl(),
        issuers,
        state,
        files: buildDownloads(state),
        rootJson: encodeUtf8(repository.roots.at(-1) ?? ''),
        expiries: expiries(repository),
        tufFiles: listFiles(repository)
      })
      made = { state, repository, content }
    }
    return made.content
  }
}
