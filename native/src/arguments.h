/* From values of JavaScript to bytes and keys. What is of the wrong kind leaves a TypeError pending. */
#ifndef SIGSTEAD_ARGUMENTS_H
#define SIGSTEAD_ARGUMENTS_H

#include <node_api.h>

#include "keys.h"

/* Gives up the present function when Node-API did, with an exception pending. */
#define TRY(env, call, given_up)                                                                                       \
  do {                                                                                                                 \
    if ((call) != napi_ok) {                                                                                           \
      throw_internal((env), "Node-API refused: " #call);                                                               \
      return (given_up);                                                                                               \
    }                                                                                                                  \
  } while (0)

/* Codes of what is thrown, as `code` of the Error. */
#define CODE_TYPE "ERR_INVALID_ARG_TYPE"
#define CODE_VALUE "ERR_INVALID_ARG_VALUE"
#define CODE_UNSUPPORTED "unsupported"
#define CODE_INVALID "invalid_request"
#define CODE_INTERNAL "internal"

/* Bytes inside an ArrayBuffer: gone as soon as JavaScript runs again. */
struct bytes {
  const uint8_t *data;
  size_t length;
};

enum key_use { PUBLIC_KEY, PRIVATE_KEY };

struct hot_keys;
struct table_build;

/* What a handle of JavaScript stands for. Its thread alone touches it. */
struct held_key {
  struct key key;
  /* For a public key that may get a table: its point, how often it was used since it lost one, and when last. */
  struct hot_keys *hot_keys;
  uint8_t point[2 * P256_BYTES];
  uint64_t uses;
  uint64_t last_used;
  struct table_build *build;
};

/* Leaves an Error with the code `internal`, unless an exception is pending already. */
void throw_internal(napi_env env, const char *message);
bool throw_type(napi_env env, const char *what, const char *expected);
bool throw_value(napi_env env, const char *message);

/* A Uint8Array over an ArrayBuffer that nobody detached, and not over shared memory, which another thread may change. */
bool read_bytes(napi_env env, napi_value value, const char *what, struct bytes *bytes);

/* The same of at least `length` bytes, which will be written to. */
bool read_output(napi_env env, napi_value value, size_t length, uint8_t **data);

/* Length of an Array. */
bool read_array(napi_env env, napi_value value, const char *what, uint32_t *length);

/* Takes over `key`. `held` belongs to the handle. */
bool wrap_key(napi_env env, const struct key *key, enum key_use use, napi_value *handle, struct held_key **held);
/* `held` belongs to the handle. */
bool read_key(napi_env env, napi_value value, enum key_use use, struct held_key **held);

/* The hash that a string names. */
bool read_hash(napi_env env, napi_value value, const EVP_MD **hash);

/* A new Uint8Array with these bytes. */
napi_status make_bytes(napi_env env, const uint8_t *data, size_t length, napi_value *made);

#endif
