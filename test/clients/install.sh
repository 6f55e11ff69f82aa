#!/usr/bin/env bash
# Puts the real clients into .clients/<suite>/, as Debian packages them, without installing them on the system.
#
#   test/clients/install.sh            does nothing when everything is there already
#   test/clients/install.sh --refresh  asks the archive again
#
# Two suites give two generations: trixie has cosign 2.5, rekor-cli 1.3 and gitsign 0.13, sid has cosign 3, rekor-cli 1.5
# and gitsign 0.16. trixie also has docker-registry, a registry of images for them to sign. The machine's own release gives
# libfaketime, as .clients/own/libfaketime.so.
# The archive is the one this machine's own apt uses; packages are accepted only under Debian's archive keys.
# Needs: a Debian system (apt, dpkg), a network on the first run. No root, unless signing tools are missing.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
clients=$repository/.clients
packages=(cosign rekor sigstore-go gitsign)
commands=(cosign rekor-cli sigstore-go-verification oci-image-verification gitsign)
# What is no client, so that one of it is enough.
declare -A packages_of=([trixie]=docker-registry [sid]='')
declare -A commands_of=([trixie]=docker-registry [sid]='')

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

[[ ${1:-} == '' || ${1:-} == --refresh ]] || fail "unknown argument $1"
[[ $(uname -s) == Linux ]] || fail 'the client packages are Debian packages for Linux'
for tool in apt-get apt-cache dpkg dpkg-deb; do
  command -v "$tool" >/dev/null || fail "needs $tool: this suite runs on Debian"
done

# Tools of the machine's own Debian that make the signatures which the clients then upload.
install_signing_tools() {
  local missing=()
  command -v openssl >/dev/null || missing+=(openssl)
  command -v gpg >/dev/null || missing+=(gnupg)
  command -v ssh-keygen >/dev/null || missing+=(openssh-client)
  command -v minisign >/dev/null || missing+=(minisign)
  command -v git >/dev/null || missing+=(git)
  command -v curl >/dev/null || missing+=(curl)
  ((${#missing[@]} == 0)) && return
  [[ $(id -u) == 0 ]] || fail "missing: install ${missing[*]} with apt-get, or run this as root"
  echo "installing ${missing[*]}"
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# The archive of the machine's own release, in whichever format and place it is configured.
archive_address() {
  if [[ -n ${SIGSTEAD_DEBIAN_ARCHIVE:-} ]]; then
    echo "$SIGSTEAD_DEBIAN_ARCHIVE"
    return
  fi
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$3 == "main" && $2 !~ /-/ && $1 ~ /debian\/?$/ { print $1; exit }'
}

# apt options that keep one suite's lists, cache and state away from the system's.
declare -a options
use_suite() {
  local suite=$1 keyring=$2 state=$clients/apt/$1
  rm -rf "$state"
  mkdir -p "$state"/{sources,lists/partial,cache/archives/partial}
  : >"$state/status"
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "$archive" "$suite" "$keyring" >"$state/sources/debian.sources"
  options=(
    -o "Dir::Etc::SourceList=/dev/null"
    -o "Dir::Etc::SourceParts=$state/sources"
    -o "Dir::Etc::Preferences=/dev/null"
    -o "Dir::Etc::PreferencesParts=/dev/null"
    -o "Dir::State::Lists=$state/lists"
    -o "Dir::State::status=$state/status"
    -o "Dir::Cache=$state/cache"
    -o "Acquire::Languages=none"
    -o "APT::Update::Error-Mode=any"
    -o "APT::Sandbox::User=$(id -un)"
  )
}

# A suite newer than this machine may be signed by keys its keyring does not know yet. Those keys come in Debian's own
# package of keys, taken from a source that the keys we already trust vouch for: the machine's release, then trixie.
unpack_keyring() {
  local target=$clients/apt/keyring
  rm -rf "$target"
  mkdir -p "$target"
  (cd "$target" && apt-get -qq "$@" download debian-archive-keyring) || return 1
  dpkg-deb -x "$target"/debian-archive-keyring_*.deb "$target"
  local file
  for file in "$target"/usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
    if [[ -s $file ]]; then
      cp -L "$file" "$clients/apt/keyring.gpg"
      keyring=$clients/apt/keyring.gpg
      return
    fi
  done
  return 1
}

update_suite() {
  local suite=$1
  use_suite "$suite" "$keyring"
  apt-get -qq "${options[@]}" update && return
  echo "$suite is not signed by a key this machine knows: asking its own release for newer keys" >&2
  if unpack_keyring; then
    use_suite "$suite" "$keyring"
    apt-get -qq "${options[@]}" update && return
  fi
  if [[ $suite != trixie ]]; then
    update_suite trixie
    unpack_keyring "${options[@]}" || fail "no keyring in trixie"
    use_suite "$suite" "$keyring"
    apt-get -qq "${options[@]}" update && return
  fi
  fail "cannot read the $suite package lists from $archive"
}

is_complete() {
  local suite=$1 command
  [[ -s $clients/$suite/versions ]] || return 1
  for command in "${commands[@]}" ${commands_of[$suite]}; do
    [[ -x $clients/$suite/usr/bin/$command ]] || return 1
  done
}

install_suite() {
  local suite=$1 package
  local wanted=("${packages[@]}" ${packages_of[$suite]})
  echo "fetching ${wanted[*]} from $suite"
  update_suite "$suite"
  local downloads=$clients/apt/$suite/downloads unpacked=$clients/apt/$suite/unpacked
  mkdir -p "$downloads" "$unpacked"
  (cd "$downloads" && apt-get -qq "${options[@]}" download "${wanted[@]}")
  for package in "${wanted[@]}"; do
    local files=("$downloads/${package}"_*.deb)
    [[ -f ${files[0]} ]] || fail "$suite has no package $package"
    dpkg-deb -x "${files[0]}" "$unpacked"
    echo "$package $(dpkg-deb -f "${files[0]}" Version)" >>"$unpacked/versions"
  done
  rm -rf "${clients:?}/$suite"
  # Only now does the folder exist: an interrupted run leaves nothing that looks complete.
  mv "$unpacked" "$clients/$suite"
  rm -rf "$clients/apt/$suite"
  is_complete "$suite" || fail "the $suite packages lack one of: ${commands[*]} ${commands_of[$suite]}"
}

# Gives a program another clock. It is loaded into Node, so it has to suit this machine's C library: the machine's own release.
install_faketime() {
  local release target=$clients/own state=$clients/apt/own
  [[ -e $target/libfaketime.so ]] && return
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [[ -n $release ]] || fail 'no VERSION_CODENAME in /etc/os-release: which Debian is this?'
  [[ -n $archive ]] || fail 'no Debian archive in the apt sources; name one in SIGSTEAD_DEBIAN_ARCHIVE'
  echo "fetching libfaketime from $release"
  update_suite "$release"
  rm -rf "$target" "$state"
  mkdir -p "$state/unpacked"
  (cd "$state" && apt-get -qq "${options[@]}" download libfaketime)
  dpkg-deb -x "$state"/libfaketime_*.deb "$state/unpacked"
  local library=("$state"/unpacked/usr/lib/*/faketime/libfaketimeMT.so.1)
  [[ -f ${library[0]} ]] || fail "the libfaketime of $release has no libfaketimeMT.so.1"
  cp "${library[0]}" "$state/unpacked/libfaketime.so"
  mv "$state/unpacked" "$target"
  rm -rf "$state" "${clients:?}/apt/$release"
}

expect_version() {
  local suite=$1 package=$2 pattern=$3 version
  version=$(awk -v package="$package" '$1 == package { print $2 }' "$clients/$suite/versions")
  [[ $version =~ $pattern ]] ||
    fail "$suite has $package $version, this suite is written for $pattern: read what changed, then move the pattern"
}

install_signing_tools
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
archive=$(archive_address)
for suite in trixie sid; do
  if [[ ${1:-} == --refresh ]] || ! is_complete "$suite"; then
    [[ -n $archive ]] || fail 'no Debian archive in the apt sources; name one in SIGSTEAD_DEBIAN_ARCHIVE'
    [[ -s $keyring ]] || fail "$keyring is missing: install debian-archive-keyring"
    install_suite "$suite"
  fi
done
install_faketime
expect_version trixie cosign '^2\.5\.'
expect_version trixie rekor '^1\.3\.'
expect_version trixie gitsign '^0\.13\.'
expect_version trixie docker-registry '^2\.8\.'
expect_version sid cosign '^3\.[1-9]'
expect_version sid rekor '^1\.[5-9]\.'
expect_version sid gitsign '^0\.1[6-9]\.'

for suite in trixie sid; do
  echo "$suite: $(paste -sd, "$clients/$suite/versions" | sed 's/,/, /g')"
done
