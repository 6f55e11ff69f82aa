import { createPrivateKey } from 'node:crypto'

/** PKCS#8 PEM of the Ed25519 key of a seed of 32 bytes, as vectors name them. */
export function seededEd25519Pem(seed: Uint8Array): string {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return key.export({ format: 'pem', type: 'pkcs8' }).toString()
}
