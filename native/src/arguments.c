#include "arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hot-keys.h"
#include "signatures.h"

/* About what a key takes outside of JavaScript's heap, so that its collector knows that there is something to free. */
#define KEY_BYTES 4096

static const napi_type_tag TAGS[] = {
    [PUBLIC_KEY] = {0x6f0f6c2f1d0d4a7bULL, 0x9a54c7f6a2b06e11ULL},
    [PRIVATE_KEY] = {0x51f1c3a8be0944d2ULL, 0xb3e0d27f9c48a765ULL},
};

void throw_internal(napi_env env, const char *message) {
  bool is_pending = false;
  if (napi_is_exception_pending(env, &is_pending) == napi_ok && !is_pending) {
    napi_throw_error(env, CODE_INTERNAL, message);
  }
}

bool throw_type(napi_env env, const char *what, const char *expected) {
  char message[160];
  snprintf(message, sizeof message, "%s: expected %s", what, expected);
  napi_throw_type_error(env, CODE_TYPE, message);
  return false;
}

bool throw_value(napi_env env, const char *message) {
  napi_throw_range_error(env, CODE_VALUE, message);
  return false;
}

/* Only asked of what looks empty: so does an array whose buffer was taken away or made shorter than its beginning. */
static bool is_really_empty(napi_env env, napi_value buffer, bool *is_empty) {
  bool is_detached = false;
  bool is_resizable = false;
  napi_value resizable;
  TRY(env, napi_is_detached_arraybuffer(env, buffer, &is_detached), false);
  TRY(env, napi_get_named_property(env, buffer, "resizable", &resizable), false);
  napi_valuetype type;
  TRY(env, napi_typeof(env, resizable, &type), false);
  if (type == napi_boolean) TRY(env, napi_get_value_bool(env, resizable, &is_resizable), false);
  *is_empty = !is_detached && !is_resizable;
  return true;
}

bool read_bytes(napi_env env, napi_value value, const char *what, struct bytes *bytes) {
  napi_typedarray_type type;
  size_t length = 0;
  void *data = NULL;
  napi_value buffer;
  napi_status status = napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, NULL);
  if (status == napi_invalid_arg) return throw_type(env, what, "a Uint8Array");
  TRY(env, status, false);
  if (type != napi_uint8_array) return throw_type(env, what, "a Uint8Array");

  bool is_array_buffer = false;
  TRY(env, napi_is_arraybuffer(env, buffer, &is_array_buffer), false);
  if (!is_array_buffer) return throw_type(env, what, "a Uint8Array that is not over shared memory");

  static const uint8_t NO_BYTES[1] = {0};
  if (length == 0) {
    bool is_empty = false;
    if (!is_really_empty(env, buffer, &is_empty)) return false;
    if (!is_empty) return throw_type(env, what, "a Uint8Array over a buffer that was not detached or resized");
    data = (void *)NO_BYTES;
  }
  bytes->data = data;
  bytes->length = length;
  return true;
}

bool read_output(napi_env env, napi_value value, size_t length, uint8_t **data) {
  struct bytes bytes;
  if (!read_bytes(env, value, "output", &bytes)) return false;
  if (bytes.length < length) return throw_value(env, "output: too short for a hash");
  *data = (uint8_t *)bytes.data; /* read_bytes does not look at who will write */
  return true;
}

bool read_array(napi_env env, napi_value value, const char *what, uint32_t *length) {
  bool is_array = false;
  TRY(env, napi_is_array(env, value, &is_array), false);
  if (!is_array) return throw_type(env, what, "an Array");
  TRY(env, napi_get_array_length(env, value, length), false);
  return true;
}

static void finalize_key(napi_env env, void *data, void *hint) {
  (void)hint;
  struct held_key *held = data;
  int64_t total;
  hot_keys_forget(env, held);
  key_release(&held->key);
  free(held);
  (void)napi_adjust_external_memory(env, -KEY_BYTES, &total); /* only a hint to the collector */
}

bool wrap_key(napi_env env, const struct key *key, enum key_use use, napi_value *handle, struct held_key **held) {
  *held = calloc(1, sizeof **held);
  if (*held == NULL) {
    EVP_PKEY_free(key->pkey);
    throw_internal(env, "out of memory");
    return false;
  }
  (*held)->key = *key;
  if (napi_create_external(env, *held, finalize_key, NULL, handle) != napi_ok) {
    key_release(&(*held)->key);
    free(*held);
    throw_internal(env, "out of memory");
    return false;
  }
  int64_t total;
  (void)napi_adjust_external_memory(env, KEY_BYTES, &total);
  /* From here on the finalizer frees. */
  TRY(env, napi_type_tag_object(env, *handle, &TAGS[use]), false);
  return true;
}

bool read_key(napi_env env, napi_value value, enum key_use use, struct held_key **held) {
  const char *what = use == PUBLIC_KEY ? "publicKey" : "privateKey";
  napi_valuetype type;
  TRY(env, napi_typeof(env, value, &type), false);
  bool is_ours = false;
  if (type == napi_external) TRY(env, napi_check_object_type_tag(env, value, &TAGS[use], &is_ours), false);
  if (!is_ours) {
    return throw_type(env, what, use == PUBLIC_KEY ? "what loadPublicKey gave" : "what loadPrivateKey gave");
  }
  void *data = NULL;
  TRY(env, napi_get_value_external(env, value, &data), false);
  *held = data;
  return true;
}

bool read_hash(napi_env env, napi_value value, const EVP_MD **hash) {
  char name[16];
  size_t written = 0;
  napi_valuetype type;
  TRY(env, napi_typeof(env, value, &type), false);
  if (type != napi_string) return throw_type(env, "hashName", "a string");
  TRY(env, napi_get_value_string_utf8(env, value, name, sizeof name, &written), false);
  *hash = strlen(name) == written ? hash_of_name(name) : NULL;
  return *hash != NULL || throw_value(env, "hashName: expected sha256, sha384 or sha512");
}

napi_status make_bytes(napi_env env, const uint8_t *data, size_t length, napi_value *made) {
  void *into = NULL;
  napi_value buffer;
  napi_status status = napi_create_arraybuffer(env, length, &into, &buffer);
  if (status != napi_ok) return status;
  if (length > 0) memcpy(into, data, length);
  return napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, made);
}
