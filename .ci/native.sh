#!/usr/bin/env bash
# The addon under tools that watch its memory, and a long fuzz of its verdicts: bash .ci/native.sh [ROUNDS]
# Not part of .ci/run: takes several minutes, and needs gcc's sanitizers and valgrind. ROUNDS (default 40) is how many times
# longer than in npm test the fuzz is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=${1:-40}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

echo '=== AddressSanitizer and UndefinedBehaviorSanitizer'
mkdir "$folder/asan"
cp -r native/binding.gyp native/build.mjs native/src "$folder/asan"
sanitize='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g'
# The check that it loads is done by build.mjs without the sanitizer's library in front, and so cannot pass.
CFLAGS=$sanitize LDFLAGS=$sanitize node "$folder/asan/build.mjs" >/dev/null || true
# V8 keeps what it has until the process ends; leaks are valgrind's part.
ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
  node --expose-gc .ci/native-exercise.mjs "$folder/asan/build/Release/sigstead_crypto.node" 200

echo '=== valgrind'
log=$folder/valgrind.log
# Only what passed through the addon counts: V8 makes code as it runs, and valgrind has much to say about that.
valgrind --log-file="$log" --leak-check=full --show-leak-kinds=definite,indirect --num-callers=40 \
  --smc-check=all-non-file --error-limit=no --suppressions=.ci/native.supp \
  node --expose-gc .ci/native-exercise.mjs "$PWD/native/build/Release/sigstead_crypto.node" 12
awk -v RS='==[0-9]+== \n' '/(at|by) 0x[^\n]*sigstead_crypto\.node/' "$log" >"$folder/ours"
if [[ -s $folder/ours ]]; then
  cat "$folder/ours"
  echo 'valgrind found something in the addon'
  exit 1
fi
grep -q 'LEAK SUMMARY' "$log"
echo 'nothing in the addon'

echo "=== fuzz, $rounds rounds"
TEST_ROUNDS=$rounds npx tap run --disable-coverage --timeout=3600 test/keys/native-crypto.test.ts
