/* A second descriptor of a connection, so that another thread can have it: Node closes the one it knows. */
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <string.h>

/* duplicate(descriptor): number, of a descriptor that ends with neither the first one nor a child process */
static napi_value duplicate(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value argument, result;
  int32_t descriptor = -1;
  if (napi_get_cb_info(env, info, &given, &argument, NULL, NULL) != napi_ok) return NULL;
  if (given != 1 || napi_get_value_int32(env, argument, &descriptor) != napi_ok) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "descriptor: expected a number");
    return NULL;
  }
  int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) {
    napi_throw_error(env, "internal", strerror(errno));
    return NULL;
  }
  if (napi_create_int32(env, copy, &result) != napi_ok) return NULL;
  return result;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor property = {"duplicate", NULL, duplicate, NULL, NULL, NULL, napi_enumerable, NULL};
  if (napi_define_properties(env, exports, 1, &property) != napi_ok) return NULL;
  return exports;
}
