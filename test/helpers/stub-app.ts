import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { createApp, type AppOptions } from '../../src/http/app.js'
import { loadRekorV1Contract } from '../../src/http/contract.js'
import { REKOR_OPERATIONS, type RekorOperation } from '../../src/http/rekor-v1.js'
import type { RekorService } from '../../src/rekor/service.js'
import { createInjectChecked, type InjectChecked } from './inject-checked.js'
import { stubRekor } from './stub-rekor.js'

export const ALL_OPERATIONS = Object.keys(REKOR_OPERATIONS) as RekorOperation[]

/** An app over a service of which only the given members work. For tests of HTTP alone. */
export async function stubApp(
  rekor: Partial<RekorService> = {},
  options: Partial<AppOptions> = {}
): Promise<{ app: FastifyInstance; inject: InjectChecked }> {
  const contract = loadRekorV1Contract()
  const app = await createApp({
    logger: pino({ level: 'silent' }),
    contract,
    rekor: stubRekor(rekor),
    enabledOperations: ALL_OPERATIONS,
    maxRequestBodyBytes: 32 * 1024 * 1024,
    health: () => ({ isHealthy: true }),
    homePage: () => '<!doctype html><title>test</title>\n',
    ...options
  })
  return { app, inject: createInjectChecked(app, contract) }
}
