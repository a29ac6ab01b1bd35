#!/usr/bin/env bash
# Runs luacheck over the Lua of Redis: a file knows what Redis gives it and the modules that it names with `@use`, and uses each of them.
# Exit 0: nothing was found, or luacheck is not there and cannot be installed, which is said. Exit 1: something was found.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v luacheck >/dev/null 2>&1; then
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    timeout 120 apt-get install -y --no-install-recommends lua-check >/dev/null 2>&1 || true
  fi
  if ! command -v luacheck >/dev/null 2>&1; then
    echo "luacheck is not installed: the Lua scripts were NOT linted (Debian: apt-get install lua-check; else: luarocks install luacheck)"
    exit 0
  fi
fi

failed=0
while IFS= read -r file; do
  used=$(sed -n 's|^-- @use ||p' "$file" | sed 's|.*/||')
  # shellcheck disable=SC2086
  if ! found=$(luacheck --no-color --codes --quiet --config scripts/luacheckrc --read-globals $used -- "$file" 2>&1); then
    printf '%s\n' "$found" | grep -v '^Total' >&2
    failed=1
  fi
  code=$(sed -e '/^--\[\[$/,/^\]\]$/d' -e 's|--.*||' "$file")
  for name in $used; do
    if ! grep -qE "(^|[^[:alnum:]_.])$name([.,)[]|$)" <<<"$code"; then
      echo "$file: the module $name is named with @use and not used" >&2
      failed=1
    fi
  done
done < <(find lua -name '*.lua' | sort)
exit "$failed"
