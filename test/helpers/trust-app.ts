import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { loadTrustContract } from '../../src/http/contract.js'
import { trust, type TrustOptions } from '../../src/http/trust.js'
import type { BootstrapContent, BootstrapFile } from '../../src/trust/bootstrap-contract.js'
import { createInjectChecked, type InjectChecked } from './inject-checked.js'
import { stubApp } from './stub-app.js'

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function file(name: string, mediaType: string, text: string): BootstrapFile {
  const bytes = Buffer.from(text)
  return { name, mediaType, about: `about ${name}`, bytes, sha256: sha256(bytes) }
}

/** Content with a file of every media type. */
export function stubContent(changes: Partial<BootstrapContent> = {}): BootstrapContent {
  const root = file('root.json', 'application/json', '{"signed":{"version":2}}\n')
  return {
    publicUrl: 'https://log.example',
    operator: 'log.example',
    issuers: ['https://issuer.example'],
    tuf: {
      mirrorUrl: 'https://log.example/tuf',
      rootSha256: root.sha256,
      expiries: [
        { role: 'root', version: 2, expiresSeconds: 1_900_000_000 },
        { role: 'timestamp', version: 71, expiresSeconds: 1_800_000_000 }
      ],
      files: [
        { path: 'root.json', bytes: root.bytes },
        { path: 'targets/ab.rekor.pub', bytes: Buffer.from('key') }
      ]
    },
    files: [
      root,
      file(
        'rekor.pub',
        'application/x-pem-file',
        '-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n'
      ),
      file(
        'tsa-chain.pem',
        'application/pem-certificate-chain',
        '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'
      ),
      file('cosign.env', 'text/plain; charset=utf-8', 'export A=b\n'),
      file('kyverno.yaml', 'application/yaml', 'a: 1\n')
    ],
    clients: [
      {
        id: 'cosign-2',
        title: 'cosign 2',
        note: 'a note',
        lines: 'cosign version\n',
        documents: []
      }
    ],
    ...changes
  }
}

/** The API of the trust root beside that of a log that is none. */
export async function trustApp(
  options: Partial<TrustOptions> = {}
): Promise<{ app: FastifyInstance; inject: InjectChecked }> {
  const contract = loadTrustContract()
  const content = stubContent()
  const { app } = await stubApp(
    {},
    {
      plugins: [
        (scope) =>
          trust(scope, {
            contract,
            tufFile: () => undefined,
            bootstrap: () => content,
            renderPage: ({ publicUrl }) => `<!doctype html>\n${publicUrl}\n`,
            ...options
          })
      ],
      families: [{ family: 'trust', contract }]
    }
  )
  return { app, inject: createInjectChecked(app, contract) }
}
