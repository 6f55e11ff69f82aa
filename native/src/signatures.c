#include "signatures.h"

#include <string.h>

/*
 * One INTEGER of a signature in DER: not negative, no needless zero in front, no longer than the order of the curve and a
 * sign byte. Moves *at behind it.
 */
static bool skip_integer(const uint8_t *bytes, size_t length, size_t *at, size_t order_bytes) {
  if (length - *at < 3 || bytes[*at] != 0x02) return false;
  size_t size = bytes[*at + 1];
  const uint8_t *number = bytes + *at + 2;
  if (size == 0 || size > order_bytes + 1 || size > length - *at - 2) return false;
  if (number[0] >= 0x80) return false;
  if (size > 1 && number[0] == 0 && number[1] < 0x80) return false;
  *at += 2 + size;
  return true;
}

/*
 * SEQUENCE { r INTEGER, s INTEGER } in DER and nothing behind it. OpenSSL asks the same, but of an int of bytes; what is too
 * long to be a signature must not come that far.
 */
static bool is_exact_signature(const uint8_t *bytes, size_t length, size_t order_bytes) {
  if (length < 8 || length > MAX_ECDSA_SIGNATURE_BYTES || bytes[0] != 0x30) return false;
  size_t at = 2;
  size_t content = bytes[1];
  if (content == 0x81) {
    at = 3;
    content = bytes[2];
    if (content < 0x80) return false;
  } else if (content >= 0x80) {
    return false;
  }
  return content == length - at && skip_integer(bytes, length, &at, order_bytes) &&
         skip_integer(bytes, length, &at, order_bytes) && at == length;
}

/*
 * EVP_PKEY_verify answers 1, 0, or less when it came to no end. The last is no failure of ours alone: who holds the
 * private key can choose r so that the sum of the two points is infinity, and that is a bad signature.
 */
static enum verdict verdict_of(int answer) {
  if (answer == 1) return SIGNATURE_GOOD;
  return answer < 0 && drain_errors() ? VERDICT_UNKNOWN : SIGNATURE_BAD;
}

/* The INTEGER at *at, which is_exact_signature looked at, as 32 bytes; false when it is longer. Moves *at behind it. */
static bool read_p256_integer(const uint8_t *bytes, size_t *at, uint8_t number[P256_BYTES]) {
  size_t size = bytes[*at + 1];
  const uint8_t *first = bytes + *at + 2;
  *at += 2 + size;
  if (*first == 0) {
    first++;
    size--;
  }
  if (size > P256_BYTES) return false;
  memset(number, 0, P256_BYTES);
  memcpy(number + P256_BYTES - size, first, size);
  return true;
}

/* An exact signature on P-256. A no is no verdict: the table is there to be fast, and OpenSSL to be right. */
static bool is_good_by_table(const struct p256_table *table, const uint8_t *digest, size_t digest_bytes,
                             const uint8_t *signature, size_t signature_bytes) {
  uint8_t e[P256_BYTES] = {0}, r[P256_BYTES], s[P256_BYTES];
  size_t at = signature_bytes > 2 && signature[1] >= 0x80 ? 3 : 2;
  if (!read_p256_integer(signature, &at, r) || !read_p256_integer(signature, &at, s)) return false;
  size_t kept = digest_bytes < P256_BYTES ? digest_bytes : P256_BYTES;
  memcpy(e + P256_BYTES - kept, digest, kept);
  return p256_is_good(table, e, r, s);
}

static enum verdict verify_ecdsa(const struct key *key, const uint8_t *digest, size_t digest_bytes,
                                 const uint8_t *signature, size_t signature_bytes) {
  static const uint8_t NO_BYTES[1] = {0};
  if (digest_bytes > MAX_DIGEST_INPUT_BYTES) return SIGNATURE_BAD;
  if (!is_exact_signature(signature, signature_bytes, key->kind->order_bytes)) return SIGNATURE_BAD;
  if (digest_bytes > MAX_DIGEST_BYTES) digest_bytes = MAX_DIGEST_BYTES;
  if (key->table != NULL && is_good_by_table(key->table->multiples, digest, digest_bytes, signature, signature_bytes)) {
    return SIGNATURE_GOOD;
  }
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
  enum verdict verdict = VERDICT_UNKNOWN;
  if (context != NULL && EVP_PKEY_verify_init(context) == 1) {
    verdict = verdict_of(EVP_PKEY_verify(context, signature, signature_bytes, digest_bytes == 0 ? NO_BYTES : digest,
                                         digest_bytes));
  }
  EVP_PKEY_CTX_free(context);
  return verdict;
}

/*
 * Since OpenSSL 3.4, and so perhaps not in the Node that loads this. Where the linker cannot leave a symbol open, the
 * answer is that there is no Ed25519ph.
 */
#if defined(__GNUC__)
#define HAS_WEAK_SYMBOLS 1
int EVP_PKEY_verify_init_ex2(EVP_PKEY_CTX *context, EVP_SIGNATURE *algorithm, const OSSL_PARAM parameters[])
    __attribute__((weak));
#endif

static enum verdict verify_ed25519ph(const struct key *key, const uint8_t *digest, size_t digest_bytes,
                                     const uint8_t *signature, size_t signature_bytes) {
  if (digest_bytes != SHA512_BYTES || signature_bytes != ED25519_SIGNATURE_BYTES) return SIGNATURE_BAD;
  enum verdict verdict = VERDICT_UNKNOWN;
#ifdef HAS_WEAK_SYMBOLS
  if (EVP_PKEY_verify_init_ex2 == NULL) return VERDICT_UNKNOWN;
  EVP_SIGNATURE *algorithm = EVP_SIGNATURE_fetch(NULL, "ED25519ph", NULL);
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
  if (algorithm != NULL && context != NULL && EVP_PKEY_verify_init_ex2(context, algorithm, NULL) == 1) {
    verdict = verdict_of(EVP_PKEY_verify(context, signature, signature_bytes, digest, digest_bytes));
  }
  EVP_PKEY_CTX_free(context);
  EVP_SIGNATURE_free(algorithm);
#else
  (void)key;
  (void)digest;
  (void)signature;
#endif
  return verdict;
}

/* RFC 8032 section 7.3, "-----TEST abc": SubjectPublicKeyInfo, SHA-512 of "abc", signature. */
static const uint8_t TEST_KEY[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21,
                                   0x00, 0xec, 0x17, 0x2b, 0x93, 0xad, 0x5e, 0x56, 0x3b, 0xf4, 0x93,
                                   0x2c, 0x70, 0xe1, 0x24, 0x50, 0x34, 0xc3, 0x54, 0x67, 0xef, 0x2e,
                                   0xfd, 0x4d, 0x64, 0xeb, 0xf8, 0x19, 0x68, 0x34, 0x67, 0xe2, 0xbf};
static const uint8_t TEST_DIGEST[SHA512_BYTES] = {
    0xdd, 0xaf, 0x35, 0xa1, 0x93, 0x61, 0x7a, 0xba, 0xcc, 0x41, 0x73, 0x49, 0xae, 0x20, 0x41, 0x31,
    0x12, 0xe6, 0xfa, 0x4e, 0x89, 0xa9, 0x7e, 0xa2, 0x0a, 0x9e, 0xee, 0xe6, 0x4b, 0x55, 0xd3, 0x9a,
    0x21, 0x92, 0x99, 0x2a, 0x27, 0x4f, 0xc1, 0xa8, 0x36, 0xba, 0x3c, 0x23, 0xa3, 0xfe, 0xeb, 0xbd,
    0x45, 0x4d, 0x44, 0x23, 0x64, 0x3c, 0xe8, 0x0e, 0x2a, 0x9a, 0xc9, 0x4f, 0xa5, 0x4c, 0xa4, 0x9f};
static const uint8_t TEST_SIGNATURE[ED25519_SIGNATURE_BYTES] = {
    0x98, 0xa7, 0x02, 0x22, 0xf0, 0xb8, 0x12, 0x1a, 0xa9, 0xd3, 0x0f, 0x81, 0x3d, 0x68, 0x3f, 0x80,
    0x9e, 0x46, 0x2b, 0x46, 0x9c, 0x7f, 0xf8, 0x76, 0x39, 0x49, 0x9b, 0xb9, 0x4e, 0x6d, 0xae, 0x41,
    0x31, 0xf8, 0x50, 0x42, 0x46, 0x3c, 0x2a, 0x35, 0x5a, 0x20, 0x03, 0xd0, 0x62, 0xad, 0xf5, 0xaa,
    0xa1, 0x0b, 0x8c, 0x61, 0xe6, 0x36, 0x06, 0x2a, 0xaa, 0xd1, 0x1c, 0x2a, 0x26, 0x08, 0x34, 0x06};

bool can_verify_ed25519ph(void) {
  struct key key = {NULL, NULL, NULL};
  struct key_templates none = {{NULL}};
  if (key_from_spki(&none, TEST_KEY, sizeof TEST_KEY, &key) != KEY_LOADED) return false;
  uint8_t changed[ED25519_SIGNATURE_BYTES];
  memcpy(changed, TEST_SIGNATURE, sizeof changed);
  changed[0] ^= 1;
  bool works = verify_ed25519ph(&key, TEST_DIGEST, SHA512_BYTES, TEST_SIGNATURE, ED25519_SIGNATURE_BYTES) ==
                   SIGNATURE_GOOD &&
               verify_ed25519ph(&key, TEST_DIGEST, SHA512_BYTES, changed, ED25519_SIGNATURE_BYTES) == SIGNATURE_BAD;
  drain_errors();
  key_release(&key);
  return works;
}

enum verdict verify_digest(const struct key *key, const uint8_t *digest, size_t digest_bytes,
                           const uint8_t *signature, size_t signature_bytes) {
  enum verdict verdict = key->kind->group == NULL
                             ? verify_ed25519ph(key, digest, digest_bytes, signature, signature_bytes)
                             : verify_ecdsa(key, digest, digest_bytes, signature, signature_bytes);
  drain_errors();
  return verdict;
}

bool is_good_by_table_alone(const struct key *key, const uint8_t *digest, size_t digest_bytes, const uint8_t *signature,
                            size_t signature_bytes) {
  return key->table != NULL && digest_bytes <= MAX_DIGEST_INPUT_BYTES &&
         is_exact_signature(signature, signature_bytes, key->kind->order_bytes) &&
         is_good_by_table(key->table->multiples, digest, digest_bytes, signature, signature_bytes);
}

bool can_verify(const struct key *key, bool has_ed25519ph) { return key->kind->group != NULL || has_ed25519ph; }

const EVP_MD *hash_of_name(const char *name) {
  if (strcmp(name, "sha256") == 0) return EVP_sha256();
  if (strcmp(name, "sha384") == 0) return EVP_sha384();
  if (strcmp(name, "sha512") == 0) return EVP_sha512();
  return NULL;
}

size_t sign_message(const struct key *key, const EVP_MD *hash, const uint8_t *message, size_t message_bytes,
                    uint8_t *signature) {
  static const uint8_t NO_BYTES[1] = {0};
  size_t written = MAX_ECDSA_SIGNATURE_BYTES;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context == NULL || EVP_DigestSignInit(context, NULL, hash, NULL, key->pkey) != 1 ||
      EVP_DigestSign(context, signature, &written, message_bytes == 0 ? NO_BYTES : message, message_bytes) != 1 ||
      written > MAX_ECDSA_SIGNATURE_BYTES) {
    written = 0;
  }
  EVP_MD_CTX_free(context);
  drain_errors();
  return written;
}
