/* The hash itself and not EVP, which takes longer to find it than a node takes to be hashed. */
#undef OPENSSL_NO_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED

#include "sha256.h"

#include <string.h>

#include <openssl/sha.h>

#include "arguments.h"

#define HASH_BYTES SHA256_DIGEST_LENGTH

/* Hashes of a tile, and what one call takes at most. */
#define MAX_SUBTREE 256
/* Siblings of one call: as many bits as a number of JavaScript is exact to. */
#define MAX_SIBLINGS 53

static const uint8_t LEAF_PREFIX = 0x00;

/* Of these calls none fails: they only compute. OpenSSL says so with a 1, as of all others. */
static bool hash_prefixed(const uint8_t *prefix, const uint8_t *message, size_t length, uint8_t output[HASH_BYTES]) {
  SHA256_CTX context;
  return SHA256_Init(&context) == 1 && (prefix == NULL || SHA256_Update(&context, prefix, 1) == 1) &&
         SHA256_Update(&context, message, length) == 1 && SHA256_Final(output, &context) == 1;
}

/* A node of the tree: 0x01 || left || right. */
static bool join(const uint8_t *left, const uint8_t *right, uint8_t output[HASH_BYTES]) {
  uint8_t both[1 + 2 * HASH_BYTES];
  both[0] = 0x01;
  memcpy(both + 1, left, HASH_BYTES);
  memcpy(both + 1 + HASH_BYTES, right, HASH_BYTES);
  return hash_prefixed(NULL, both, sizeof both, output);
}

static napi_value ended(napi_env env, bool is_done) {
  if (!is_done) throw_internal(env, "OpenSSL failed");
  return NULL;
}

static napi_value hash_message(napi_env env, napi_callback_info info, const char *what, const uint8_t *prefix) {
  size_t given = 2;
  napi_value arguments[2];
  struct bytes message;
  uint8_t *output;
  TRY(env, napi_get_cb_info(env, info, &given, arguments, NULL, NULL), NULL);
  if (!read_bytes(env, arguments[0], what, &message) || !read_output(env, arguments[1], HASH_BYTES, &output)) return NULL;
  return ended(env, hash_prefixed(prefix, message.data, message.length, output));
}

napi_value sha256_message(napi_env env, napi_callback_info info) { return hash_message(env, info, "message", NULL); }

napi_value hash_leaf(napi_env env, napi_callback_info info) {
  return hash_message(env, info, "leafValue", &LEAF_PREFIX);
}

/* A whole number from 0 to `maximum`, which is below 2^53. */
static bool read_whole(napi_env env, napi_value value, const char *what, double maximum, uint64_t *number) {
  napi_valuetype type;
  double read = 0;
  TRY(env, napi_typeof(env, value, &type), false);
  if (type != napi_number) return throw_type(env, what, "a number");
  TRY(env, napi_get_value_double(env, value, &read), false);
  if (!(read >= 0 && read <= maximum) || read != (double)(uint64_t)read) {
    return throw_value(env, "not a whole number in range");
  }
  *number = (uint64_t)read;
  return true;
}

napi_value hash_subtree(napi_env env, napi_callback_info info) {
  size_t given = 4;
  napi_value arguments[4];
  struct bytes hashes;
  uint64_t first, count;
  uint8_t *output;
  uint8_t row[MAX_SUBTREE / 2 * HASH_BYTES];
  TRY(env, napi_get_cb_info(env, info, &given, arguments, NULL, NULL), NULL);
  if (!read_whole(env, arguments[1], "first", MAX_SUBTREE, &first) ||
      !read_whole(env, arguments[2], "count", MAX_SUBTREE, &count) || !read_bytes(env, arguments[0], "hashes", &hashes) ||
      !read_output(env, arguments[3], HASH_BYTES, &output)) {
    return NULL;
  }
  if (count == 0 || (count & (count - 1)) != 0 || (first + count) * HASH_BYTES > hashes.length) {
    throw_value(env, "hashes: expected a power of two of them, all there");
    return NULL;
  }
  const uint8_t *from = hashes.data + first * HASH_BYTES;
  if (count == 1) {
    memmove(output, from, HASH_BYTES);
    return NULL;
  }
  bool is_done = true;
  for (; count > 1; count /= 2) {
    for (size_t i = 0; i < count / 2; i++) {
      is_done &= join(from + 2 * i * HASH_BYTES, from + (2 * i + 1) * HASH_BYTES, row + i * HASH_BYTES);
    }
    from = row;
  }
  if (is_done) memcpy(output, row, HASH_BYTES);
  return ended(env, is_done);
}

napi_value hash_chain(napi_env env, napi_callback_info info) {
  size_t given = 4;
  napi_value arguments[4];
  struct bytes hashes;
  uint64_t count, lefts;
  uint8_t *output;
  uint8_t hash[HASH_BYTES];
  TRY(env, napi_get_cb_info(env, info, &given, arguments, NULL, NULL), NULL);
  if (!read_whole(env, arguments[1], "count", MAX_SIBLINGS, &count) ||
      !read_whole(env, arguments[2], "lefts", 9007199254740991.0, &lefts) ||
      !read_bytes(env, arguments[0], "hashes", &hashes) || !read_output(env, arguments[3], HASH_BYTES, &output)) {
    return NULL;
  }
  if ((1 + count) * HASH_BYTES > hashes.length) {
    throw_value(env, "hashes: expected one and its siblings, all there");
    return NULL;
  }
  bool is_done = true;
  memcpy(hash, hashes.data, HASH_BYTES);
  for (uint64_t i = 1; i <= count; i++, lefts >>= 1) {
    const uint8_t *sibling = hashes.data + i * HASH_BYTES;
    is_done &= (lefts & 1) == 1 ? join(sibling, hash, hash) : join(hash, sibling, hash);
  }
  if (is_done) memcpy(output, hash, HASH_BYTES);
  return ended(env, is_done);
}
