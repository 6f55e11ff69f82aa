import { ecdsa, weierstrass } from '@noble/curves/abstract/weierstrass.js'
import { sha256 } from '@noble/hashes/sha2.js'

// The one curve of Go's X.509 parser that noble does not bring along.
// SEC 2, section 2.2.2 (secp224r1).
const p = 2n ** 224n - 2n ** 96n + 1n

/** ECDSA on P-224. Always called with a digest, so the hash given here is never used. */
export const p224 = ecdsa(
  weierstrass({
    p,
    n: 0xffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3dn,
    h: 1n,
    a: p - 3n,
    b: 0xb4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4n,
    Gx: 0xb70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21n,
    Gy: 0xbd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34n
  }),
  sha256
)
