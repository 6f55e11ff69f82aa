import type { TransparencyLog } from '../log/contract.js'
import type { Succession } from '../log/succession.js'
import type { CtService } from './contract.js'

/** The certificate log between two rotations: a key, a tree and its writer. */
export interface CtGeneration {
  readonly ct: CtService
  readonly log: TransparencyLog
}

/** One service over one log after the other: submissions wait while a log is being replaced, reads go on. */
export function createSucceedingCtService(generations: Succession<CtGeneration>): CtService {
  return {
    get active() {
      return generations.current.ct.active
    },
    find: (logName) => generations.current.ct.find(logName),
    roots: () => generations.current.ct.roots(),
    submit: (kind, chain) => generations.use(({ ct }) => ct.submit(kind, chain)),
    submitOwn: (kind, chain) => generations.use(({ ct }) => ct.submitOwn(kind, chain)),
    close: () => generations.current.ct.close()
  }
}
