import type { RekorService } from '../../src/rekor/service.js'

const unexpected = (name: string) => () => {
  throw new Error(`the stub was asked for ${name}`)
}

/** A service of which only the given members may be called. */
export function stubRekor(members: Partial<RekorService>): RekorService {
  return {
    submit: unexpected('submit'),
    submitVerified: unexpected('submitVerified'),
    entryByIndex: unexpected('entryByIndex'),
    entryById: unexpected('entryById'),
    retrieve: unexpected('retrieve'),
    retrieveLookups: unexpected('retrieveLookups'),
    searchIndex: unexpected('searchIndex'),
    searchKeys: unexpected('searchKeys'),
    logInfo: unexpected('logInfo'),
    publicKey: unexpected('publicKey'),
    proof: unexpected('proof'),
    statement: unexpected('statement'),
    ...members
  }
}
