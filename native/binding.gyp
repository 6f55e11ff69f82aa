{
  # OpenSSL is the one inside Node, which exports its symbols to addons: nothing else is linked.
  "targets": [
    {
      "target_name": "sigstead_crypto",
      "sources": [
        "src/addon.c",
        "src/arguments.c",
        "src/batch.c",
        "src/hot-keys.c",
        "src/keys.c",
        "src/p256.c",
        "src/sha256.c",
        "src/signatures.c"
      ],
      "defines": ["NAPI_VERSION=8", "OPENSSL_API_COMPAT=30000", "OPENSSL_NO_DEPRECATED"],
      "cflags": [
        "-std=gnu11",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Wshadow",
        "-Wconversion",
        "-Wno-sign-conversion",
        "-fstack-protector-strong"
      ],
      "ldflags": ["-Wl,-z,relro", "-Wl,-z,now"],
      "xcode_settings": {
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "OTHER_CFLAGS": ["-std=gnu11", "-Wall", "-Wextra"]
      }
    },
    {
      "target_name": "sigstead_sockets",
      "sources": ["src/sockets.c"],
      "defines": ["NAPI_VERSION=8"],
      "cflags": [
        "-std=gnu11",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Wshadow",
        "-Wconversion",
        "-Wno-sign-conversion",
        "-fstack-protector-strong"
      ],
      "ldflags": ["-Wl,-z,relro", "-Wl,-z,now"],
      "xcode_settings": {
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "OTHER_CFLAGS": ["-std=gnu11", "-Wall", "-Wextra"]
      }
    }
  ]
}
