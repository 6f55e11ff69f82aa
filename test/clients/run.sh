#!/usr/bin/env bash
# Real, unpatched clients against the built server: npm run test:clients [-- FILE…]
#
# Builds, fetches the clients once (install.sh), then runs every *.client.ts here where only the loopback exists, so
# that a client which wants to reach a public service fails instead of finding it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

npm run --silent build
bash test/clients/install.sh

files=("$@")
((${#files[@]} > 0)) || files=(test/clients/*.client.ts)

# The suite is told which of the two holds: it refuses to run with less isolation than it was promised.
if unshare --net true 2>/dev/null; then
  isolate=(unshare --net)
elif unshare --user --map-root-user --net true 2>/dev/null; then
  isolate=(unshare --user --map-root-user --net)
else
  isolate=()
  echo 'no network namespace to be had here: clients are watched by a proxy that refuses everything, nothing more'
fi

run_tap=(
  env "SIGSTEAD_CLIENTS_ISOLATED=${#isolate[@]}"
  npx tap run --disable-coverage --allow-empty-coverage --timeout=300 --jobs=2 "${files[@]}"
)
if ((${#isolate[@]} == 0)); then
  "${run_tap[@]}"
else
  "${isolate[@]}" bash -c 'ip link set lo up && exec "$@"' isolated "${run_tap[@]}"
fi
