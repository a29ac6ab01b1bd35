#!/usr/bin/env bash
# Prints the path of Chromium: that of CHROMIUM, the one that is installed, or one from Debian's packages where they can be installed.
# Exit 2: there is none, and it cannot be installed; what to do has been printed.
set -euo pipefail

found() {
  local program
  for program in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$program" ] && command -v "$program" 2>/dev/null; then
      return 0
    fi
  done
  return 1
}

if found; then
  exit
fi

packages=(chromium fonts-wqy-microhei)
as_root=()
if [ "$(id -u)" != 0 ]; then
  as_root=(sudo -n)
fi
if command -v apt-get >/dev/null 2>&1 && ${as_root[@]+"${as_root[@]}"} true 2>/dev/null; then
  echo "Chromium is not installed; running: apt-get install -y --no-install-recommends ${packages[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  ${as_root[@]+"${as_root[@]}"} apt-get update -qq >&2 || true
  ${as_root[@]+"${as_root[@]}"} apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2 || true
  if found; then
    exit
  fi
fi
echo "Chromium is needed, and could not be installed. Install it (apt-get install -y ${packages[*]}), or name it in CHROMIUM, and run this again." >&2
exit 2
