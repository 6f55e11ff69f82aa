#include "hot-keys.h"

#include <stdlib.h>
#include <string.h>

/* All of it belongs to one thread of JavaScript, but for what make_on_pool does. */
struct hot_keys {
  size_t holders;
  /* Counts uses of all keys: a clock. */
  uint64_t now;
  size_t builds;
  size_t count;
  struct held_key *with_table[MAX_TABLES];
};

/* A table that is being made. */
struct table_build {
  struct hot_keys *hot_keys;
  /* NULL once the key was freed: then the table is for nobody. */
  struct held_key *held;
  uint8_t point[2 * P256_BYTES];
  struct p256_table *made;
  napi_async_work work;
};

struct hot_keys *hot_keys_make(void) {
  struct hot_keys *made = calloc(1, sizeof *made);
  if (made != NULL) made->holders = 1;
  return made;
}

void hot_keys_release(struct hot_keys *hot_keys) {
  if (hot_keys != NULL && --hot_keys->holders == 0) free(hot_keys);
}

void hot_keys_watch(struct hot_keys *hot_keys, struct held_key *held, const uint8_t point[2 * P256_BYTES]) {
  if (!p256_has_tables()) return;
  hot_keys->holders++;
  held->hot_keys = hot_keys;
  memcpy(held->point, point, sizeof held->point);
}

/* Tells the collector what freeing a key would give back. The last thing done, since it may run and free keys at once. */
static void account(napi_env env, bool is_more) {
  int64_t total, bytes = (int64_t)p256_table_bytes();
  (void)napi_adjust_external_memory(env, is_more ? bytes : -bytes, &total); /* only a hint */
}

/* Without accounting for it: no JavaScript and no finalizer runs in here. */
static void drop_table(struct held_key *held) {
  struct hot_keys *hot_keys = held->hot_keys;
  for (size_t i = 0; i < hot_keys->count; i++) {
    if (hot_keys->with_table[i] != held) continue;
    hot_keys->with_table[i] = hot_keys->with_table[--hot_keys->count];
    break;
  }
  shared_table_release(held->key.table);
  held->key.table = NULL;
  held->uses = 0;
}

/* Takes over `multiples`. False for want of memory. */
static bool give_table(napi_env env, struct held_key *held, struct p256_table *multiples) {
  struct hot_keys *hot_keys = held->hot_keys;
  struct shared_table *table = malloc(sizeof *table);
  if (table == NULL) {
    p256_table_free(multiples);
    return false;
  }
  *table = (struct shared_table){1, multiples};
  bool is_swap = hot_keys->count == MAX_TABLES;
  if (is_swap) {
    struct held_key *oldest = hot_keys->with_table[0];
    for (size_t i = 1; i < hot_keys->count; i++) {
      if (hot_keys->with_table[i]->last_used < oldest->last_used) oldest = hot_keys->with_table[i];
    }
    drop_table(oldest);
  }
  hot_keys->with_table[hot_keys->count++] = held;
  held->key.table = table;
  if (!is_swap) account(env, true);
  return true;
}

/* On a thread of the pool: no Node-API. */
static void make_on_pool(napi_env env, void *data) {
  (void)env;
  struct table_build *build = data;
  build->made = p256_table_make(build->point);
}

/* The key, if it is still there, may begin anew. */
static void leave_build(struct table_build *build) {
  build->hot_keys->builds--;
  if (build->held != NULL) build->held->build = NULL;
  hot_keys_release(build->hot_keys);
  free(build);
}

/* On the thread of JavaScript again, whether it was made or cancelled. */
static void end_build(napi_env env, napi_status status, void *data) {
  (void)status;
  struct table_build *build = data;
  struct held_key *held = build->held;
  if (held != NULL) held->uses = 0; /* where it failed, the next attempt is as far away as this one was */
  if (build->made != NULL && held != NULL && held->key.table == NULL) (void)give_table(env, held, build->made);
  else p256_table_free(build->made);
  (void)napi_delete_async_work(env, build->work);
  leave_build(build);
}

/*
 * Without a table everything goes on as before, so that nothing is thrown here. Creating the work runs hooks of JavaScript
 * (async_hooks), which may use the same key: by then it says that its table is being made.
 */
static void start_build(napi_env env, struct held_key *held) {
  napi_value name;
  struct table_build *build = calloc(1, sizeof *build);
  if (build == NULL) return;
  memcpy(build->point, held->point, sizeof build->point);
  build->hot_keys = held->hot_keys;
  build->hot_keys->holders++;
  build->hot_keys->builds++;
  build->held = held;
  held->build = build;
  if (napi_create_string_utf8(env, "sigstead:table", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, make_on_pool, end_build, build, &build->work) != napi_ok) {
    leave_build(build);
    return;
  }
  if (napi_queue_async_work(env, build->work) != napi_ok) {
    (void)napi_delete_async_work(env, build->work);
    leave_build(build);
  }
}

void hot_keys_note(napi_env env, struct held_key *held) {
  if (held->hot_keys == NULL) return;
  held->last_used = ++held->hot_keys->now;
  held->uses++;
  if (held->key.table == NULL && held->build == NULL && held->uses >= USES_BEFORE_TABLE &&
      held->hot_keys->builds < MAX_BUILDS) {
    start_build(env, held);
  }
}

bool hot_keys_make_table(napi_env env, struct held_key *held) {
  if (held->hot_keys == NULL) return false;
  if (held->key.table != NULL) return true;
  held->last_used = ++held->hot_keys->now;
  struct p256_table *made = p256_table_make(held->point);
  return made != NULL && give_table(env, held, made);
}

void hot_keys_forget(napi_env env, struct held_key *held) {
  if (held->hot_keys == NULL) return;
  if (held->build != NULL) held->build->held = NULL;
  bool had_table = held->key.table != NULL;
  if (had_table) drop_table(held);
  hot_keys_release(held->hot_keys);
  if (had_table) account(env, false);
}
