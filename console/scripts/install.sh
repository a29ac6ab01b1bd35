#!/usr/bin/env bash
# Installs what package-lock.json says, unless that is there; nothing of it runs a script of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --ignore-scripts --fetch-retries=1 --fetch-timeout=20000 --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json node_modules/.installed
fi
