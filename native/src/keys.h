/* Keys that this addon holds for JavaScript. No Node-API here: all of it may run on any thread. */
#ifndef SIGSTEAD_KEYS_H
#define SIGSTEAD_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "p256.h"

/* Bytes of the order of P-521, the longest there is here. */
#define MAX_ORDER_BYTES 66

/* SEQUENCE (3 bytes of header) of two INTEGERs (2 of header, at most 67 of number). */
#define MAX_ECDSA_SIGNATURE_BYTES 139
#define ED25519_SIGNATURE_BYTES 64
#define SHA512_BYTES 64

/* A kind of key: ECDSA on one curve, or Ed25519. */
struct key_kind {
  const char *name;
  /* As OpenSSL calls the curve; NULL for Ed25519. */
  const char *group;
  /* SubjectPublicKeyInfo in DER up to the bytes that differ from key to key: x and y, or the 32 bytes of Ed25519. */
  const uint8_t *prefix;
  size_t prefix_bytes;
  size_t spki_bytes;
  /* Bytes of the order of the curve; 0 for Ed25519. */
  size_t order_bytes;
  /* Whether p256.h is about it. */
  bool is_p256;
};

/* A table that a handle and the batches under way share. Counted on the thread of JavaScript only. */
struct shared_table {
  size_t holders;
  struct p256_table *multiples;
};

void shared_table_release(struct shared_table *table);

/* Immutable once made. Several threads may use it at the same time. */
struct key {
  const struct key_kind *kind;
  EVP_PKEY *pkey;
  /* Of a key that has verified much; else NULL. */
  struct shared_table *table;
};

/* Another holder of the same, to be given back with key_release. False when OpenSSL fails. */
bool key_share(const struct key *from, struct key *to);
/* Takes a key of zeros as well. */
void key_release(struct key *key);

/* One empty key per curve, from which public keys are made: a third of the time of making each from the curve's name. */
#define EC_KINDS 4
struct key_templates {
  EVP_PKEY *of_curve[EC_KINDS];
};

enum key_result {
  KEY_LOADED = 0,
  /* Well formed or not: not a kind of key that is held here, or not the one spelling of it. */
  KEY_UNSUPPORTED,
  /* The right kind, but not a key: a point off the curve, or two halves that are no pair. */
  KEY_INVALID,
  /* OpenSSL could not, for want of memory or such. */
  KEY_FAILED
};

/*
 * Empties OpenSSL's queue of errors. Says whether one of them was for want of memory: then the failure says nothing about
 * the input.
 */
bool drain_errors(void);

/* False for want of memory. Whatever was made is in `templates` and is freed with it. */
bool key_templates_make(struct key_templates *templates);
void key_templates_free(struct key_templates *templates);

/* The caller owns key->pkey after KEY_LOADED; nothing is kept otherwise. */
enum key_result key_from_spki(const struct key_templates *templates, const uint8_t *spki, size_t length,
                              struct key *key);

/* PKCS#8 in DER, in the clear: ECDSA on P-256, P-384 or P-521, its public half there or derivable and checked. */
enum key_result key_from_pkcs8(const uint8_t *pkcs8, size_t length, struct key *key);

#endif
