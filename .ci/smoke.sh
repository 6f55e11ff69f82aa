# Steps of .ci/run that start the server the ways its users do. Sourced, from the root of the repository.

# Address and process group of the server under test.
smoke_url=
smoke_group=
smoke_folder=$(mktemp -d)

smoke_cleanup() {
  [[ -z $smoke_group ]] || kill -KILL -- "-$smoke_group" 2>/dev/null || true
  rm -rf "$smoke_folder"
}
trap smoke_cleanup EXIT

port_is_free() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() {
  node -e 'require("node:net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port); this.close() })'
}

# Starts a command in a process group of its own and waits until the server it starts is healthy.
start_server() {
  local output=$1 waited=0
  shift
  set -m
  "$@" >"$output" 2>&1 &
  smoke_group=$!
  set +m
  until curl -sf "$smoke_url/healthz" >/dev/null; do
    if ! kill -0 "$smoke_group" 2>/dev/null || ((++waited > 600)); then
      cat "$output" >&2
      echo "not healthy: $*" >&2
      return 1
    fi
    sleep 0.2
  done
}

# One entry goes in, comes out again, and is proved by our own client.
use_server() {
  local log
  curl -sSf "$smoke_url/ping" | grep -qx '\.'
  log=$(curl -sSf "$smoke_url/api/v1/log")
  node -e '
    const before = JSON.parse(process.argv[1]).treeSize
    const proposed = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"))
    const post = () => fetch(`${process.argv[3]}/api/v1/log/entries`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(proposed)
    })
    const check = async () => {
      const first = await post()
      if (first.status !== 201) throw new Error(`${first.status} ${await first.text()}`)
      const second = await post()
      if (second.status !== 409) throw new Error(`a second upload: ${second.status}`)
      const after = (await (await fetch(`${process.argv[3]}/api/v1/log`)).json()).treeSize
      if (after !== before + 1) throw new Error(`the tree went from ${before} to ${after}`)
    }
    check().catch((error) => { console.error(error); process.exit(1) })
  ' "$log" test/vectors/rekor/hashedrekord/proposed_hashedrekord.json "$smoke_url"
}

# Asks the server to stop and waits for all of its group.
stop_server() {
  local waited=0
  kill -TERM -- "-$smoke_group"
  while kill -0 -- "-$smoke_group" 2>/dev/null; do
    ((++waited < 150)) || {
      echo 'still running 30 s after SIGTERM' >&2
      return 1
    }
    sleep 0.2
  done
  wait "$smoke_group" || true
  smoke_group=
}

# The README's first command, as written where nothing stands in its way.
quick_start() {
  local output=$smoke_folder/start.log flags=()
  smoke_url=http://127.0.0.1:3000
  if [[ -e data ]] || ! port_is_free 3000 || ! port_is_free 2112; then
    local port
    port=$(free_port)
    smoke_url=http://127.0.0.1:$port
    flags=(-- --data-dir "$smoke_folder/data" --listen "127.0.0.1:$port" --metrics-listen off)
    echo "./data exists or a port is taken: npm start ${flags[*]}"
  else
    trap 'rm -rf data; smoke_cleanup' EXIT
  fi
  start_server "$output" npm start "${flags[@]}"
  grep -q "cosign sign-blob .*--rekor-url $smoke_url " "$output"
  use_server
  stop_server
  start_server "$output" npm start "${flags[@]}"
  stop_server
  if ((${#flags[@]} == 0)); then rm -rf data; fi
}

# What npm would publish is enough to run: the packed files, with this folder's installed dependencies.
package() {
  local folder=$smoke_folder/package port
  mkdir -p "$folder"
  npm pack --silent --pack-destination "$folder" >/dev/null
  tar -xzf "$folder"/sigstead-*.tgz -C "$folder"
  ln -s "$PWD/node_modules" "$folder/package/node_modules"
  # What its installation would do: the addon comes as source only.
  [[ ! -e $folder/package/native/build ]]
  (cd "$folder/package" && npm run --silent build:native)
  [[ $(node "$folder/package/dist/main.js" version) == *"$(node -p 'require("./package.json").version')"* ]]
  port=$(free_port)
  smoke_url=http://127.0.0.1:$port
  start_server "$folder/start.log" node "$folder/package/dist/main.js" start \
    --data-dir "$folder/data" --listen "127.0.0.1:$port" --metrics-listen off
  use_server
  stop_server
  node "$folder/package/dist/main.js" verify --data-dir "$folder/data"
}

# The image itself needs a container engine. Without one only test/container.test.ts, part of npm test, has looked at it.
container() {
  if ! command -v docker >/dev/null || ! docker info >/dev/null 2>&1; then
    echo 'no container engine here: the image was NOT built'
    return
  fi
  docker build --tag sigstead:ci .
  local name=sigstead-ci-$$ waited=0
  docker run --detach --rm --name "$name" --read-only --tmpfs /tmp --cap-drop ALL \
    --security-opt no-new-privileges:true sigstead:ci >/dev/null
  until [[ $(docker inspect --format '{{.State.Health.Status}}' "$name") == healthy ]]; do
    if ((++waited > 60)); then
      docker logs "$name" >&2
      docker stop "$name" >/dev/null
      return 1
    fi
    sleep 1
  done
  [[ $(docker exec "$name" id -u) != 0 ]]
  docker stop "$name" >/dev/null
}
