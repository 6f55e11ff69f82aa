/* What belongs to one loading of the addon: a thread of JavaScript has its own, and there are no globals. */
#ifndef SIGSTEAD_ADDON_H
#define SIGSTEAD_ADDON_H

#include "arguments.h"

struct hot_keys;

struct instance {
  struct key_templates templates;
  bool has_ed25519ph;
  struct hot_keys *hot_keys;
};

/* Leaves an Error with the code `unsupported` pending when this key verifies no digests here. */
bool must_verify(napi_env env, const struct key *key);

#endif
