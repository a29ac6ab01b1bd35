#!/usr/bin/env bash
# Finds redis-server or valkey-server, or installs one with the system's package manager.
# Exit 0: one is there. Exit 2: it is not, and cannot be installed; the exact command has been printed.
set -euo pipefail

found() {
  command -v redis-server >/dev/null 2>&1 || command -v valkey-server >/dev/null 2>&1
}

if found; then
  exit 0
fi

# Sets `install` to the command of this system, and `refresh` to what must run before it, if anything.
refresh=()
install=()
needs_root=1
if command -v apt-get >/dev/null 2>&1; then
  refresh=(apt-get update -qq)
  install=(apt-get install -y --no-install-recommends redis-server)
elif command -v dnf >/dev/null 2>&1; then
  install=(dnf install -y redis)
elif command -v apk >/dev/null 2>&1; then
  install=(apk add redis)
elif command -v brew >/dev/null 2>&1; then
  install=(brew install redis)
  needs_root=0
else
  echo "No redis-server or valkey-server is installed, and no package manager known here (apt-get, dnf, apk, brew)." >&2
  echo "Install Redis 7 or Valkey, so that redis-server or valkey-server is in PATH, and run this again." >&2
  exit 2
fi

as_root=()
if [ "$needs_root" = 1 ] && [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    echo "No redis-server or valkey-server is installed. Install it with:" >&2
    echo >&2
    if [ "${#refresh[@]}" -gt 0 ]; then
      echo "  sudo ${refresh[*]} && sudo ${install[*]}" >&2
    else
      echo "  sudo ${install[*]}" >&2
    fi
    exit 2
  fi
fi

echo "No redis-server or valkey-server is installed; running: ${as_root[*]:+${as_root[*]} }${install[*]}" >&2

# A package starts the server as a service where it can; only the program is wanted.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1

# Under `set -u`, old versions of bash refuse an empty array without the `+`.
if [ "${#refresh[@]}" -gt 0 ]; then
  ${as_root[@]+"${as_root[@]}"} "${refresh[@]}" >&2 || true
fi
if ! ${as_root[@]+"${as_root[@]}"} "${install[@]}" >&2 || ! found; then
  echo "The installation failed. Run it by hand and try again:" >&2
  echo >&2
  echo "  ${as_root[*]:+sudo }${install[*]}" >&2
  exit 2
fi
