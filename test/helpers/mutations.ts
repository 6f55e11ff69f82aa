import type { Random } from './random.js'

/** A copy of `bytes` with a few bytes changed, removed, repeated or put in, or a part of it missing. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let mutated = [...bytes]
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(mutated.length + 1)
    const change = random.below(6)
    if (change === 0) mutated[at] = random.below(256)
    else if (change === 1) mutated[at] = (mutated[at] ?? 0) ^ (1 << random.below(8))
    else if (change === 2) mutated.splice(at, 1 + random.below(4))
    else if (change === 3) mutated.splice(at, 0, ...random.bytes(1 + random.below(4)))
    else if (change === 4) mutated.splice(at, 0, ...mutated.slice(at, at + random.below(40)))
    else mutated = mutated.slice(0, at)
  }
  return Uint8Array.from(mutated)
}
