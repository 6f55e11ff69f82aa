/*
 * Which keys have a table (p256.h): those of one thread of JavaScript that verify the most. A table is made on libuv's pool
 * once a key has been used often enough; there is a bound to how many there are.
 */
#ifndef SIGSTEAD_HOT_KEYS_H
#define SIGSTEAD_HOT_KEYS_H

#include "arguments.h"

/* Uses after which a key gets a table, which costs as much as some 15 verifications. */
#define USES_BEFORE_TABLE 64
/* Tables of one thread at most, 88 kB each: the key that was used the longest ago gives its own up. */
#define MAX_TABLES 256
/* Tables that are being made at once, so that others of the pool get their turn. */
#define MAX_BUILDS 1

/* Belongs to the thread, and to its keys: freed with the last of them. */
struct hot_keys *hot_keys_make(void);
/* NULL is fine. */
void hot_keys_release(struct hot_keys *hot_keys);

/* From now on this key, whose point x || y is on the curve, may get a table. */
void hot_keys_watch(struct hot_keys *hot_keys, struct held_key *held, const uint8_t point[2 * P256_BYTES]);

/* The key is about to be used. May start to make its table. Any key will do. */
void hot_keys_note(napi_env env, struct held_key *held);

/* Makes the table now, on this thread. False when it cannot have one. */
bool hot_keys_make_table(napi_env env, struct held_key *held);

/* The key is about to be freed. Any key will do. */
void hot_keys_forget(napi_env env, struct held_key *held);

#endif
