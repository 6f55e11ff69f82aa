/* Descriptors of connections: a second one, so that another thread can have it, since Node closes the one it knows; and the one of
   a connection that waits to be taken, since Node takes one in each turn of its loop. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of a connection, not inherited by other programs and not blocking; -1 with errno set. */
static int take(int listening) {
#ifdef __linux__
  return accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
  int taken = accept(listening, NULL, NULL);
  if (taken < 0) return -1;
  int flags = fcntl(taken, F_GETFL);
  if (flags < 0 || fcntl(taken, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(taken, F_SETFD, FD_CLOEXEC) < 0) {
    int problem = errno;
    close(taken);
    errno = problem;
    return -1;
  }
  return taken;
#endif
}

/* accept(listening): number, the descriptor of a connection that waits; -1 where none does, or it cannot be taken now */
static napi_value accept_waiting(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value argument, result;
  int32_t listening = -1;
  if (napi_get_cb_info(env, info, &given, &argument, NULL, NULL) != napi_ok) return NULL;
  if (given != 1 || napi_get_value_int32(env, argument, &listening) != napi_ok) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "listening: expected a number");
    return NULL;
  }
  /* Whatever keeps us from it (nothing there, gone again, too many descriptors), Node meets it in its next turn and tells. */
  int taken = take(listening);
  if (napi_create_int32(env, taken < 0 ? -1 : taken, &result) != napi_ok) {
    if (taken >= 0) close(taken);
    return NULL;
  }
  return result;
}

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
  const napi_property_descriptor properties[] = {
      {"accept", NULL, accept_waiting, NULL, NULL, NULL, napi_enumerable, NULL},
      {"duplicate", NULL, duplicate, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, 2, properties) != napi_ok) return NULL;
  return exports;
}
