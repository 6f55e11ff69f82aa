import type { FormatKey, SignatureFormat } from '../signature-format.js'
import { encodeKeyRing } from './canonical.js'
import type { Entity } from './entity.js'
import { emailsOf, parseKeyRing } from './key-ring.js'
import { parseDetachedSignature, type DetachedSignature } from './signature.js'
import { verifyDetachedSignature } from './verify.js'

export interface PgpKey extends FormatKey {
  readonly entities: readonly Entity[]
}

/** OpenPGP key rings and detached signatures (rekor-v1 §7.2). */
export const pgpFormat: SignatureFormat<PgpKey, DetachedSignature> = {
  name: 'pgp',

  async parseKey(bytes) {
    const entities = await parseKeyRing(bytes)
    return { canonical: encodeKeyRing(entities), subjects: emailsOf(entities), entities }
  },

  async parseSignature(bytes) {
    return parseDetachedSignature(bytes)
  },

  async verify(key, signature, data) {
    await verifyDetachedSignature(key.entities, signature, data)
  }
}
