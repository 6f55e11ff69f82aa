#include "addon.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/opensslv.h>

#include "batch.h"
#include "hot-keys.h"
#include "sha256.h"
#include "signatures.h"

static struct instance *instance_of(napi_env env) {
  void *data = NULL;
  TRY(env, napi_get_instance_data(env, &data), NULL);
  return data;
}

bool must_verify(napi_env env, const struct key *key) {
  const struct instance *instance = instance_of(env);
  if (instance == NULL) return false;
  if (can_verify(key, instance->has_ed25519ph)) return true;
  napi_throw_error(env, CODE_UNSUPPORTED, "the OpenSSL in this Node has no Ed25519ph over a digest");
  return false;
}

static void throw_key(napi_env env, enum key_result result, const char *unsupported) {
  if (result == KEY_UNSUPPORTED) napi_throw_error(env, CODE_UNSUPPORTED, unsupported);
  if (result == KEY_INVALID) napi_throw_error(env, CODE_INVALID, "not a valid key of its kind");
  if (result == KEY_FAILED) napi_throw_error(env, CODE_INTERNAL, "OpenSSL failed");
}

/* loadPublicKey(spki): handle */
static napi_value load_public_key(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value argument, handle;
  struct bytes spki;
  struct key key;
  TRY(env, napi_get_cb_info(env, info, &given, &argument, NULL, NULL), NULL);
  const struct instance *instance = instance_of(env);
  if (instance == NULL || !read_bytes(env, argument, "spki", &spki)) return NULL;
  enum key_result result = key_from_spki(&instance->templates, spki.data, spki.length, &key);
  if (result != KEY_LOADED) {
    throw_key(env, result,
              "not SubjectPublicKeyInfo in DER of ECDSA on P-224, P-256, P-384 or P-521, uncompressed, or of Ed25519");
    return NULL;
  }
  struct held_key *held;
  const uint8_t *point = spki.data + spki.length - 2 * P256_BYTES;
  uint8_t copy[2 * P256_BYTES];
  if (key.kind->is_p256) memcpy(copy, point, sizeof copy); /* before JavaScript's memory may move */
  if (!wrap_key(env, &key, PUBLIC_KEY, &handle, &held)) return NULL;
  if (key.kind->is_p256) hot_keys_watch(instance->hot_keys, held, copy);
  return handle;
}

/* loadPrivateKey(pkcs8): handle */
static napi_value load_private_key(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value argument, handle;
  struct bytes pkcs8;
  struct key key;
  TRY(env, napi_get_cb_info(env, info, &given, &argument, NULL, NULL), NULL);
  if (!read_bytes(env, argument, "pkcs8", &pkcs8)) return NULL;
  enum key_result result = key_from_pkcs8(pkcs8.data, pkcs8.length, &key);
  if (result != KEY_LOADED) {
    throw_key(env, result, "not PKCS#8 in DER of an ECDSA key on P-256, P-384 or P-521");
    return NULL;
  }
  struct held_key *held;
  return wrap_key(env, &key, PRIVATE_KEY, &handle, &held) ? handle : NULL;
}

/* verifyDigest(publicKey, digest, signature): boolean */
static napi_value verify_digest_now(napi_env env, napi_callback_info info) {
  size_t given = 3;
  napi_value arguments[3], result;
  struct held_key *held;
  struct bytes digest, signature;
  TRY(env, napi_get_cb_info(env, info, &given, arguments, NULL, NULL), NULL);
  if (!read_key(env, arguments[0], PUBLIC_KEY, &held) || !must_verify(env, &held->key)) return NULL;
  hot_keys_note(env, held);
  if (!read_bytes(env, arguments[1], "digest", &digest) || !read_bytes(env, arguments[2], "signature", &signature)) {
    return NULL;
  }
  enum verdict verdict = verify_digest(&held->key, digest.data, digest.length, signature.data, signature.length);
  if (verdict == VERDICT_UNKNOWN) {
    throw_internal(env, "OpenSSL failed");
    return NULL;
  }
  TRY(env, napi_get_boolean(env, verdict == SIGNATURE_GOOD, &result), NULL);
  return result;
}

/* isGoodByTable(publicKey, digest, signature): boolean, undefined where the key has no table */
static napi_value is_good_by_table(napi_env env, napi_callback_info info) {
  size_t given = 3;
  napi_value arguments[3], result;
  struct held_key *held;
  struct bytes digest, signature;
  TRY(env, napi_get_cb_info(env, info, &given, arguments, NULL, NULL), NULL);
  if (!read_key(env, arguments[0], PUBLIC_KEY, &held) || !read_bytes(env, arguments[1], "digest", &digest) ||
      !read_bytes(env, arguments[2], "signature", &signature) || held->key.table == NULL) {
    return NULL;
  }
  bool is_good =
      is_good_by_table_alone(&held->key, digest.data, digest.length, signature.data, signature.length);
  TRY(env, napi_get_boolean(env, is_good, &result), NULL);
  return result;
}

/* makeTable(publicKey): boolean */
static napi_value make_table(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value argument, result;
  struct held_key *held;
  TRY(env, napi_get_cb_info(env, info, &given, &argument, NULL, NULL), NULL);
  if (!read_key(env, argument, PUBLIC_KEY, &held)) return NULL;
  TRY(env, napi_get_boolean(env, hot_keys_make_table(env, held), &result), NULL);
  return result;
}

/* signMessage(privateKey, hashName, message): Uint8Array */
static napi_value sign_message_now(napi_env env, napi_callback_info info) {
  size_t given = 3;
  napi_value arguments[3], result;
  struct held_key *held;
  const EVP_MD *hash;
  struct bytes message;
  uint8_t signature[MAX_ECDSA_SIGNATURE_BYTES];
  TRY(env, napi_get_cb_info(env, info, &given, arguments, NULL, NULL), NULL);
  if (!read_key(env, arguments[0], PRIVATE_KEY, &held) || !read_hash(env, arguments[1], &hash) ||
      !read_bytes(env, arguments[2], "message", &message)) {
    return NULL;
  }
  size_t written = sign_message(&held->key, hash, message.data, message.length, signature);
  if (written == 0) {
    throw_internal(env, "OpenSSL failed");
    return NULL;
  }
  TRY(env, make_bytes(env, signature, written, &result), NULL);
  return result;
}

static void free_instance(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct instance *instance = data;
  key_templates_free(&instance->templates);
  hot_keys_release(instance->hot_keys);
  free(instance);
}

static bool make_instance(napi_env env, struct instance **made) {
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL || (instance->hot_keys = hot_keys_make()) == NULL || !key_templates_make(&instance->templates) ||
      napi_set_instance_data(env, instance, free_instance, NULL) != napi_ok) {
    if (instance != NULL) free_instance(env, instance, NULL);
    throw_internal(env, "OpenSSL in this Node does not make keys of the curves P-224 to P-521");
    return false;
  }
  instance->has_ed25519ph = can_verify_ed25519ph();
  *made = instance;
  return true;
}

static napi_value initialize(napi_env env, napi_value exports) {
  /* Within a major version OpenSSL keeps its binary interface. */
  if (OPENSSL_version_major() != OPENSSL_VERSION_MAJOR) {
    napi_throw_error(env, CODE_UNSUPPORTED, "built for another major version of OpenSSL than the one in this Node");
    return NULL;
  }
  struct instance *instance;
  napi_value has_ed25519ph, openssl;
  if (!make_instance(env, &instance)) return NULL;
  TRY(env, napi_get_boolean(env, instance->has_ed25519ph, &has_ed25519ph), NULL);
  TRY(env, napi_create_string_utf8(env, OpenSSL_version(OPENSSL_VERSION_STRING), NAPI_AUTO_LENGTH, &openssl), NULL);
  const napi_property_descriptor properties[] = {
      {"loadPublicKey", NULL, load_public_key, NULL, NULL, NULL, napi_enumerable, NULL},
      {"loadPrivateKey", NULL, load_private_key, NULL, NULL, NULL, napi_enumerable, NULL},
      {"verifyDigest", NULL, verify_digest_now, NULL, NULL, NULL, napi_enumerable, NULL},
      {"verifyDigests", NULL, verify_digests, NULL, NULL, NULL, napi_enumerable, NULL},
      {"signMessage", NULL, sign_message_now, NULL, NULL, NULL, napi_enumerable, NULL},
      {"signMessages", NULL, sign_messages, NULL, NULL, NULL, napi_enumerable, NULL},
      {"isGoodByTable", NULL, is_good_by_table, NULL, NULL, NULL, napi_enumerable, NULL},
      {"makeTable", NULL, make_table, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sha256", NULL, sha256_message, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hashLeaf", NULL, hash_leaf, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hashSubtree", NULL, hash_subtree, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hashChain", NULL, hash_chain, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hasEd25519ph", NULL, NULL, NULL, NULL, has_ed25519ph, napi_enumerable, NULL},
      {"openssl", NULL, NULL, NULL, NULL, openssl, napi_enumerable, NULL},
  };
  TRY(env, napi_define_properties(env, exports, sizeof properties / sizeof properties[0], properties), NULL);
  return exports;
}

NAPI_MODULE_INIT() { return initialize(env, exports); }
