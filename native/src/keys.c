#include "keys.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/x509.h>

/*
 * SubjectPublicKeyInfo has one spelling per curve once the point is uncompressed, so reading it is comparing its head
 * (RFC 5480):
 *
 *   SEQUENCE { SEQUENCE { OID id-ecPublicKey, OID curve }, BIT STRING (no unused bits) 04 x y }
 */
static const uint8_t P224[] = {0x30, 0x4e, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                               0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21, 0x03, 0x3a, 0x00, 0x04};
static const uint8_t P256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                               0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t P384[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                               0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};
static const uint8_t P521[] = {0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                               0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00, 0x04};
/* RFC 8410: SEQUENCE { SEQUENCE { OID id-Ed25519 }, BIT STRING (no unused bits) 32 bytes } */
static const uint8_t ED25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

/* Those with a curve come first, EC_KINDS of them. */
static const struct key_kind KINDS[] = {
    {"P-224", "P-224", P224, sizeof P224, sizeof P224 + 2 * 28, 28, false},
    {"P-256", "P-256", P256, sizeof P256, sizeof P256 + 2 * 32, 32, true},
    {"P-384", "P-384", P384, sizeof P384, sizeof P384 + 2 * 48, 48, false},
    {"P-521", "P-521", P521, sizeof P521, sizeof P521 + 2 * 66, 66, false},
    {"Ed25519", NULL, ED25519, sizeof ED25519, sizeof ED25519 + 32, 0, false},
};
#define KINDS_COUNT (sizeof KINDS / sizeof KINDS[0])

static EVP_PKEY *make_template(const char *group) {
  EVP_PKEY *made = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  /* The parameter wants a pointer to bytes it may change, and does not. */
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
      OSSL_PARAM_construct_end(),
  };
  if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
      EVP_PKEY_fromdata(context, &made, EVP_PKEY_KEY_PARAMETERS, parameters) != 1) {
    EVP_PKEY_free(made);
    made = NULL;
  }
  EVP_PKEY_CTX_free(context);
  return made;
}

bool key_templates_make(struct key_templates *templates) {
  for (size_t i = 0; i < EC_KINDS; i++) {
    templates->of_curve[i] = make_template(KINDS[i].group);
    if (templates->of_curve[i] == NULL) {
      drain_errors();
      return false;
    }
  }
  return true;
}

void key_templates_free(struct key_templates *templates) {
  for (size_t i = 0; i < EC_KINDS; i++) EVP_PKEY_free(templates->of_curve[i]);
}

void shared_table_release(struct shared_table *table) {
  if (table == NULL || --table->holders > 0) return;
  p256_table_free(table->multiples);
  free(table);
}

bool key_share(const struct key *from, struct key *to) {
  if (EVP_PKEY_up_ref(from->pkey) != 1) return false;
  *to = *from;
  if (to->table != NULL) to->table->holders++;
  return true;
}

void key_release(struct key *key) {
  EVP_PKEY_free(key->pkey);
  shared_table_release(key->table);
  *key = (struct key){NULL, NULL, NULL};
}

bool drain_errors(void) {
  bool was_out_of_memory = false;
  unsigned long error;
  while ((error = ERR_get_error()) != 0) {
    if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) was_out_of_memory = true;
  }
  return was_out_of_memory;
}

enum key_result key_from_spki(const struct key_templates *templates, const uint8_t *spki, size_t length,
                              struct key *key) {
  const struct key_kind *kind = NULL;
  size_t at = 0;
  for (; at < KINDS_COUNT; at++) {
    if (length == KINDS[at].spki_bytes && memcmp(spki, KINDS[at].prefix, KINDS[at].prefix_bytes) == 0) {
      kind = &KINDS[at];
      break;
    }
  }
  if (kind == NULL) return KEY_UNSUPPORTED;

  if (kind->group == NULL) {
    EVP_PKEY *raw = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, spki + kind->prefix_bytes,
                                                   length - kind->prefix_bytes);
    if (raw == NULL) {
      drain_errors();
      return KEY_FAILED;
    }
    *key = (struct key){kind, raw, NULL};
    return KEY_LOADED;
  }

  EVP_PKEY *pkey = EVP_PKEY_dup(templates->of_curve[at]);
  if (pkey == NULL) {
    drain_errors();
    return KEY_FAILED;
  }
  /* 04 || x || y; the 04 is the last byte of the prefix. Refuses a point that is not on the curve, or a coordinate that
     is not below the prime. Infinity has no such form. */
  if (EVP_PKEY_set1_encoded_public_key(pkey, spki + kind->prefix_bytes - 1, length - kind->prefix_bytes + 1) != 1) {
    enum key_result result = drain_errors() ? KEY_FAILED : KEY_INVALID;
    EVP_PKEY_free(pkey);
    return result;
  }
  *key = (struct key){kind, pkey, NULL};
  return KEY_LOADED;
}

/* The kind of an EVP_PKEY that may sign; NULL for every other. */
static const struct key_kind *signing_kind(const EVP_PKEY *pkey) {
  char group[32];
  size_t written = 0;
  if (EVP_PKEY_is_a(pkey, "EC") != 1 || EVP_PKEY_get_group_name(pkey, group, sizeof group, &written) != 1) return NULL;
  if (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0) return &KINDS[1];
  if (strcmp(group, "secp384r1") == 0 || strcmp(group, "P-384") == 0) return &KINDS[2];
  if (strcmp(group, "secp521r1") == 0 || strcmp(group, "P-521") == 0) return &KINDS[3];
  return NULL;
}

enum key_result key_from_pkcs8(const uint8_t *pkcs8, size_t length, struct key *key) {
  if (length == 0 || length > LONG_MAX) return KEY_UNSUPPORTED;
  const unsigned char *end = pkcs8;
  /* OpenSSL cleanses the copy of the private key in here when it is freed. */
  PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &end, (long)length);
  if (info == NULL) return drain_errors() ? KEY_FAILED : KEY_UNSUPPORTED;
  EVP_PKEY *pkey = end == pkcs8 + length ? EVP_PKCS82PKEY_ex(info, NULL, NULL) : NULL;
  PKCS8_PRIV_KEY_INFO_free(info);
  if (pkey == NULL) return drain_errors() ? KEY_FAILED : KEY_UNSUPPORTED;

  const struct key_kind *kind = signing_kind(pkey);
  if (kind == NULL) {
    drain_errors();
    EVP_PKEY_free(pkey);
    return KEY_UNSUPPORTED;
  }
  /* Public key a point of the curve and of its order, private key in range, and the one the other's. */
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
  enum key_result result = KEY_FAILED;
  if (context != NULL && EVP_PKEY_check(context) == 1) {
    result = KEY_LOADED;
  } else if (!drain_errors() && context != NULL) {
    result = KEY_INVALID;
  }
  EVP_PKEY_CTX_free(context);
  if (result != KEY_LOADED) {
    EVP_PKEY_free(pkey);
    return result;
  }
  *key = (struct key){kind, pkey, NULL};
  return KEY_LOADED;
}
