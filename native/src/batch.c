#include "batch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "addon.h"
#include "hot-keys.h"
#include "signatures.h"

/* Arguments are copied before the call returns: JavaScript may change, move or drop them while threads read. */
struct verification {
  struct key key;
  uint8_t digest_bytes;
  uint8_t signature_bytes;
  uint8_t digest[MAX_DIGEST_BYTES];
  uint8_t signature[MAX_ECDSA_SIGNATURE_BYTES];
  uint8_t verdict;
};

struct signing {
  uint8_t *message;
  size_t message_bytes;
  size_t signature_bytes;
  uint8_t signature[MAX_ECDSA_SIGNATURE_BYTES];
};

/*
 * One call. Its lanes, each a task of the pool, take items one by one until none is left, so that a thread that starts
 * late or runs on a busy core takes fewer. The last lane to end settles the promise and frees all of it.
 */
struct batch {
  napi_deferred deferred;
  size_t count;
  /* Lanes that were queued and have not ended. Main thread only. */
  size_t open_lanes;
  napi_async_work lanes[MAX_LANES];
  /* The next item nobody has taken; how many are done, well or not. */
  atomic_size_t next;
  atomic_size_t done;
  atomic_bool has_failed;
  /* One of the two, by what the call was. */
  struct verification *verifications;
  struct signing *signings;
  struct key signer;
  const EVP_MD *hash;
};

/* Which lane of which batch a task is. */
struct lane {
  struct batch *batch;
  size_t number;
};

static void free_batch(struct batch *batch) {
  for (size_t i = 0; batch->verifications != NULL && i < batch->count; i++) {
    key_release(&batch->verifications[i].key);
  }
  for (size_t i = 0; batch->signings != NULL && i < batch->count; i++) free(batch->signings[i].message);
  key_release(&batch->signer);
  free(batch->verifications);
  free(batch->signings);
  free(batch);
}

/* On a thread of the pool: no Node-API. */
static void run_lane(napi_env env, void *data) {
  (void)env;
  struct batch *batch = ((struct lane *)data)->batch;
  for (;;) {
    size_t at = atomic_fetch_add(&batch->next, 1);
    if (at >= batch->count) return;
    if (batch->verifications != NULL) {
      struct verification *item = &batch->verifications[at];
      enum verdict verdict =
          verify_digest(&item->key, item->digest, item->digest_bytes, item->signature, item->signature_bytes);
      item->verdict = verdict == SIGNATURE_GOOD;
      if (verdict == VERDICT_UNKNOWN) atomic_store(&batch->has_failed, true);
    } else {
      struct signing *item = &batch->signings[at];
      item->signature_bytes =
          sign_message(&batch->signer, batch->hash, item->message, item->message_bytes, item->signature);
      if (item->signature_bytes == 0) atomic_store(&batch->has_failed, true);
    }
    atomic_fetch_add(&batch->done, 1);
  }
}

static napi_status make_result(napi_env env, const struct batch *batch, napi_value *result) {
  if (batch->verifications != NULL) {
    uint8_t verdicts[MAX_BATCH];
    for (size_t i = 0; i < batch->count; i++) verdicts[i] = batch->verifications[i].verdict;
    return make_bytes(env, verdicts, batch->count, result);
  }
  napi_status status = napi_create_array_with_length(env, batch->count, result);
  for (uint32_t i = 0; status == napi_ok && i < batch->count; i++) {
    napi_value signature;
    status = make_bytes(env, batch->signings[i].signature, batch->signings[i].signature_bytes, &signature);
    if (status == napi_ok) status = napi_set_element(env, *result, i, signature);
  }
  return status;
}

static void reject(napi_env env, napi_deferred deferred, const char *message) {
  napi_value code, text, error;
  if (napi_create_string_utf8(env, CODE_INTERNAL, NAPI_AUTO_LENGTH, &code) == napi_ok &&
      napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text) == napi_ok &&
      napi_create_error(env, code, text, &error) == napi_ok) {
    (void)napi_reject_deferred(env, deferred, error); /* fails only where nobody is left to hear of it */
  }
}

static void settle(napi_env env, struct batch *batch) {
  napi_value result;
  if (atomic_load(&batch->done) != batch->count) {
    reject(env, batch->deferred, "the batch was cancelled");
  } else if (atomic_load(&batch->has_failed)) {
    reject(env, batch->deferred, "OpenSSL failed");
  } else if (make_result(env, batch, &result) != napi_ok) {
    reject(env, batch->deferred, "out of memory");
  } else {
    (void)napi_resolve_deferred(env, batch->deferred, result); /* as above: the thread is being ended */
  }
}

/* On the main thread again, cancelled or not. */
static void end_lane(napi_env env, napi_status status, void *data) {
  (void)status; /* what a cancelled lane left, another does; if none did, `done` tells */
  struct lane *lane = data;
  struct batch *batch = lane->batch;
  (void)napi_delete_async_work(env, batch->lanes[lane->number]);
  free(lane);
  if (--batch->open_lanes > 0) return;
  settle(env, batch);
  free_batch(batch);
}

static bool queue_lane(napi_env env, struct batch *batch, napi_value name, size_t number) {
  struct lane *lane = malloc(sizeof *lane);
  if (lane == NULL) return false;
  lane->batch = batch;
  lane->number = number;
  napi_async_work *work = &batch->lanes[number];
  if (napi_create_async_work(env, NULL, name, run_lane, end_lane, lane, work) != napi_ok) {
    free(lane);
    return false;
  }
  if (napi_queue_async_work(env, *work) != napi_ok) {
    (void)napi_delete_async_work(env, *work);
    free(lane);
    return false;
  }
  batch->open_lanes++;
  return true;
}

/* Takes over `batch`. One lane is enough to go on; without any, an exception is pending. */
static napi_value start(napi_env env, struct batch *batch, uint32_t lanes) {
  napi_value promise, name;
  if (napi_create_string_utf8(env, "sigstead:batch", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_promise(env, &batch->deferred, &promise) != napi_ok) {
    free_batch(batch);
    throw_internal(env, "no promise to be had");
    return NULL;
  }
  if (lanes > batch->count) lanes = (uint32_t)batch->count;
  for (uint32_t i = 0; i < lanes && queue_lane(env, batch, name, i);) i++;
  if (batch->open_lanes == 0) {
    reject(env, batch->deferred, "libuv's pool takes no work");
    free_batch(batch);
  }
  return promise;
}

static struct batch *make_batch(napi_env env, size_t count) {
  struct batch *batch = calloc(1, sizeof *batch);
  if (batch == NULL) {
    throw_internal(env, "out of memory");
    return NULL;
  }
  batch->count = count;
  atomic_init(&batch->next, 0);
  atomic_init(&batch->done, 0);
  atomic_init(&batch->has_failed, false);
  return batch;
}

/* `to` shares the key with the handle, which may be collected before the batch ends. */
static bool share_key(napi_env env, const struct key *from, struct key *to) {
  if (key_share(from, to)) return true;
  throw_internal(env, "OpenSSL did not share a key");
  return false;
}

static bool read_count(napi_env env, uint32_t count) {
  if (count == 0) return throw_value(env, "a batch of nothing");
  if (count > MAX_BATCH) return throw_value(env, "a batch of more than 4096");
  return true;
}

static bool read_lanes(napi_env env, napi_value value, uint32_t *lanes) {
  napi_valuetype type;
  TRY(env, napi_typeof(env, value, &type), false);
  double number = 0;
  if (type != napi_number) return throw_type(env, "lanes", "a number");
  TRY(env, napi_get_value_double(env, value, &number), false);
  if (!(number >= 1 && number <= MAX_LANES)) return throw_value(env, "lanes: expected 1 to 64");
  *lanes = (uint32_t)number;
  return true;
}

/*
 * The bytes at `at`, copied up to `room` of them; `length` is what there were. The element may be a getter, so nothing
 * read before may be relied on after.
 */
static bool copy_element(napi_env env, napi_value array, uint32_t at, const char *what, uint8_t *into, size_t room,
                         size_t *length) {
  napi_value element;
  struct bytes bytes;
  TRY(env, napi_get_element(env, array, at, &element), false);
  if (!read_bytes(env, element, what, &bytes)) return false;
  memcpy(into, bytes.data, bytes.length < room ? bytes.length : room);
  *length = bytes.length;
  return true;
}

static bool read_verification(napi_env env, const napi_value *arrays, uint32_t at, struct verification *item) {
  napi_value element;
  struct held_key *held;
  TRY(env, napi_get_element(env, arrays[0], at, &element), false);
  if (!read_key(env, element, PUBLIC_KEY, &held)) return false;
  if (!must_verify(env, &held->key)) return false;
  hot_keys_note(env, held);
  if (!share_key(env, &held->key, &item->key)) return false;

  size_t length;
  if (!copy_element(env, arrays[1], at, "digest", item->digest, sizeof item->digest, &length)) return false;
  bool is_too_long = length > MAX_DIGEST_INPUT_BYTES;
  item->digest_bytes = (uint8_t)(length < sizeof item->digest ? length : sizeof item->digest);
  if (!copy_element(env, arrays[2], at, "signature", item->signature, sizeof item->signature, &length)) return false;
  /* A signature of no bytes is bad with every key: the stand-in for what was too long to be kept. */
  if (is_too_long || length > sizeof item->signature) length = 0;
  item->signature_bytes = (uint8_t)length;
  return true;
}

napi_value verify_digests(napi_env env, napi_callback_info info) {
  size_t given = 4;
  napi_value arguments[4];
  uint32_t count, digests, signatures, lanes;
  TRY(env, napi_get_cb_info(env, info, &given, arguments, NULL, NULL), NULL);
  if (!read_array(env, arguments[0], "publicKeys", &count) || !read_array(env, arguments[1], "digests", &digests) ||
      !read_array(env, arguments[2], "signatures", &signatures) || !read_lanes(env, arguments[3], &lanes)) {
    return NULL;
  }
  if (count != digests || count != signatures) {
    throw_value(env, "publicKeys, digests and signatures differ in length");
    return NULL;
  }
  if (!read_count(env, count)) return NULL;

  struct batch *batch = make_batch(env, count);
  if (batch == NULL) return NULL;
  batch->verifications = calloc(count, sizeof *batch->verifications);
  if (batch->verifications == NULL) {
    free_batch(batch);
    throw_internal(env, "out of memory");
    return NULL;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (!read_verification(env, arguments, i, &batch->verifications[i])) {
      free_batch(batch);
      return NULL;
    }
  }
  return start(env, batch, lanes);
}

static bool read_message(napi_env env, napi_value messages, uint32_t at, struct signing *item) {
  napi_value element;
  struct bytes bytes;
  TRY(env, napi_get_element(env, messages, at, &element), false);
  if (!read_bytes(env, element, "message", &bytes)) return false;
  item->message = malloc(bytes.length == 0 ? 1 : bytes.length);
  if (item->message == NULL) {
    throw_internal(env, "out of memory");
    return false;
  }
  memcpy(item->message, bytes.data, bytes.length);
  item->message_bytes = bytes.length;
  return true;
}

napi_value sign_messages(napi_env env, napi_callback_info info) {
  size_t given = 4;
  napi_value arguments[4];
  struct held_key *held;
  const EVP_MD *hash;
  uint32_t count, lanes;
  TRY(env, napi_get_cb_info(env, info, &given, arguments, NULL, NULL), NULL);
  if (!read_key(env, arguments[0], PRIVATE_KEY, &held) || !read_hash(env, arguments[1], &hash) ||
      !read_array(env, arguments[2], "messages", &count) || !read_lanes(env, arguments[3], &lanes) ||
      !read_count(env, count)) {
    return NULL;
  }
  struct batch *batch = make_batch(env, count);
  if (batch == NULL) return NULL;
  batch->hash = hash;
  batch->signings = calloc(count, sizeof *batch->signings);
  if (batch->signings == NULL) {
    free_batch(batch);
    throw_internal(env, "out of memory");
    return NULL;
  }
  if (!share_key(env, &held->key, &batch->signer)) {
    free_batch(batch);
    return NULL;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (!read_message(env, arguments[2], i, &batch->signings[i])) {
      free_batch(batch);
      return NULL;
    }
  }
  return start(env, batch, lanes);
}
