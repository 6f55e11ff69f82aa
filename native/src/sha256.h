/*
 * SHA-256, and whole pieces of a Merkle tree (RFC 9162 section 2.1) in one crossing. Everything is written to the first 32
 * bytes of an `output` that the caller brings, which may be in the same memory as what is hashed.
 */
#ifndef SIGSTEAD_SHA256_H
#define SIGSTEAD_SHA256_H

#include <node_api.h>

/* sha256(message, output) */
napi_value sha256_message(napi_env env, napi_callback_info info);

/* hashLeaf(leafValue, output): SHA-256(0x00 || leafValue) */
napi_value hash_leaf(napi_env env, napi_callback_info info);

/* hashSubtree(hashes, first, count, output): root over `count` hashes side by side, a power of two and 256 at most */
napi_value hash_subtree(napi_env env, napi_callback_info info);

/* hashChain(hashes, count, lefts, output): the first hash joined with the `count` ones behind it, one after the other; bit i of
   `lefts` says that sibling i is on the left. 53 siblings at most */
napi_value hash_chain(napi_env env, napi_callback_info info);

#endif
