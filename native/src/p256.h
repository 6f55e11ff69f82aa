/*
 * Verification over P-256 with a table of multiples of the public key, for keys that verify many signatures: a quarter of
 * the time. Everything here is public, so nothing is constant in time. No Node-API here: all of it may run on any thread.
 *
 * What this says yes to is good; what it does not say yes to is for OpenSSL to judge.
 */
#ifndef SIGSTEAD_P256_H
#define SIGSTEAD_P256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define P256_BYTES 32

/* Multiples of one point. Immutable once made. */
struct p256_table;

/* Whether this machine's compiler has what the arithmetic is made of. Without it there are no tables. */
bool p256_has_tables(void);

/* Bytes that a table takes. */
size_t p256_table_bytes(void);

/*
 * Table of a point x || y, which the caller knows to be on the curve; takes about a millisecond.
 * NULL for want of memory, where there are no tables, and for what is no point after all.
 */
struct p256_table *p256_table_make(const uint8_t point[2 * P256_BYTES]);
void p256_table_free(struct p256_table *table);

/*
 * True when (r, s) is a signature over the number e with the key of the table, all three big-endian of 32 bytes and any value.
 * False when it is not, or when one of the checks of the arithmetic itself fails.
 */
bool p256_is_good(const struct p256_table *table, const uint8_t e[P256_BYTES], const uint8_t r[P256_BYTES],
                  const uint8_t s[P256_BYTES]);

#endif
