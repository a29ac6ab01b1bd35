#!/usr/bin/env bash
# Fetches a Redis or Valkey that is newer than this Debian's own, for the tests, and leaves the machine's packages alone.
#
#   scripts/get-redis.sh KIND [DIR]        KIND: redis8 | valkey8 | valkey9
#
# The packages come from the Debian mirror that apt is configured with, from a newer suite, with their signatures checked. They are
# unpacked into DIR (default: target/servers) with the libraries they were built for, and started through those libraries' own loader.
# Prints the path of a program that is called like redis-server. What is there already is used again; delete DIR/KIND for a newer one.
# Exit 2: this cannot work here, and why.
set -euo pipefail

refuse() {
  echo "get-redis: $*" >&2
  exit 2
}

kind=${1:-}
case $kind in
  redis8)  suite=sid    package=redis-tools  binary=redis-check-rdb  program=redis-server ;;
  valkey8) suite=trixie package=valkey-tools binary=valkey-check-rdb program=valkey-server ;;
  valkey9) suite=sid    package=valkey-tools binary=valkey-check-rdb program=valkey-server ;;
  *) refuse "which one? redis8, valkey8 or valkey9" ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "${2:-$root/target/servers}"
home=$(cd "${2:-$root/target/servers}" && pwd)/$kind
server=$home/$program

# One at a time: two test runs may ask for the same server.
exec 9>"$home.lock"
flock 9

if [ -x "$server" ] && "$server" --version >/dev/null 2>&1; then
  echo "$server"
  exit 0
fi

command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || refuse "needs apt-get and dpkg-deb"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || refuse "needs $keyring (package debian-archive-keyring)"
# The mirror of the main archive, not that of its security updates or of a third party.
mirror=$(apt-get indextargets --format '$(SITE) $(REPO_URI)' "Created-By: Packages" 2>/dev/null \
  | awk '$2 ~ /\/debian\/?$/ { print $2; exit }')
[ -n "$mirror" ] || refuse "apt has no Debian mirror configured"

work=$(mktemp -d "$home.XXXXXX")
trap 'rm -rf "$work"' EXIT
# apt drops its privileges for downloads, and must be able to write here.
chmod 755 "$work"
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/tree"
: >"$work/state/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"

# apt with a state of its own: it neither reads nor writes what is installed here.
own_apt() {
  apt-get -qq \
    -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/parts" \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$work/parts" \
    -o Dir::State="$work/state" -o Dir::State::Status="$work/state/status" -o Dir::Cache="$work/cache" \
    -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o APT::Install-Recommends=false "$@"
}

echo "get-redis: fetching $package of $suite" >&2
own_apt update >&2
# With an empty status file every dependency is listed, the C library included.
own_apt install --download-only --yes "$package" >&2

for archive in "$work"/cache/archives/*.deb; do
  dpkg-deb --extract "$archive" "$work/tree"
done

loader=$(find "$work/tree" -name 'ld-linux*.so.*' -print -quit)
[ -n "$loader" ] || refuse "the packages have no loader"
found=$(find "$work/tree" -path "*/bin/$binary" -print -quit)
[ -n "$found" ] || refuse "the packages have no $binary"
libraries=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | sed "s|^$work|$home|" | paste -sd:)

# Debian's check tools are the server under another name: it looks at the name it is called by.
cat >"$work/$program" <<START
#!/bin/sh
exec "${loader/#$work/$home}" --argv0 "$program" --library-path "$libraries" "${found/#$work/$home}" "\$@"
START
chmod +x "$work/$program"
rm -rf "$work/state" "$work/cache" "$work/parts" "$work/sources.list"

rm -rf "$home"
mv "$work" "$home"
trap - EXIT
"$server" --version >&2 || refuse "what was fetched does not run: $server"
echo "$server"
