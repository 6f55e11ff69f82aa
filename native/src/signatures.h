/* Verifying and signing with one key. No Node-API here: all of it may run on any thread. */
#ifndef SIGSTEAD_SIGNATURES_H
#define SIGSTEAD_SIGNATURES_H

#include "keys.h"

enum verdict {
  SIGNATURE_BAD = 0,
  SIGNATURE_GOOD = 1,
  /* OpenSSL could not tell, for want of memory or such. Never to be read as an answer about the signature. */
  VERDICT_UNKNOWN = 2
};

/* What is kept of a digest: a curve looks at no more than the bits of its order, from the left (FIPS 186-5, 6.4.2). */
#define MAX_DIGEST_BYTES 66

/* Longer input is no digest. The same bound as in the JavaScript that runs where this cannot be built. */
#define MAX_DIGEST_INPUT_BYTES 8192

/*
 * ECDSA over a digest of any length, signature in exact DER; Ed25519ph over a SHA-512 digest where can_verify_ed25519ph.
 * Variable in time: everything here is public.
 */
enum verdict verify_digest(const struct key *key, const uint8_t *digest, size_t digest_bytes,
                           const uint8_t *signature, size_t signature_bytes);

/* What the table of a key says where OpenSSL is not asked; false without a table. For tests and benchmarks. */
bool is_good_by_table_alone(const struct key *key, const uint8_t *digest, size_t digest_bytes, const uint8_t *signature,
                            size_t signature_bytes);

/* Whether OpenSSL takes a digest for Ed25519ph: since 3.4, found out when running, with a vector of RFC 8032. */
bool can_verify_ed25519ph(void);

/* Whether this key verifies digests here. `has_ed25519ph` is what can_verify_ed25519ph gave. */
bool can_verify(const struct key *key, bool has_ed25519ph);

/* SHA-256, SHA-384 or SHA-512; NULL for another name. */
const EVP_MD *hash_of_name(const char *name);

/*
 * Hashes and signs. `signature` has room for MAX_ECDSA_SIGNATURE_BYTES.
 * Gives the bytes written; 0 when it failed.
 */
size_t sign_message(const struct key *key, const EVP_MD *hash, const uint8_t *message, size_t message_bytes,
                    uint8_t *signature);

#endif
