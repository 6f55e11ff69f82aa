/* Many verifications or signatures at once, on libuv's pool: one crossing from JavaScript and one back. */
#ifndef SIGSTEAD_BATCH_H
#define SIGSTEAD_BATCH_H

#include "arguments.h"

/* Items per call. What stands in one call, others of the pool wait for. */
#define MAX_BATCH 4096
/* Pool threads that one call may occupy. */
#define MAX_LANES 64

/* verifyDigests(publicKeys, digests, signatures, lanes): Promise<Uint8Array> */
napi_value verify_digests(napi_env env, napi_callback_info info);

/* signMessages(privateKey, hashName, messages, lanes): Promise<Uint8Array[]> */
napi_value sign_messages(napi_env env, napi_callback_info info);

#endif
