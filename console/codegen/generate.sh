#!/usr/bin/env bash
# Writes the types of the API, src/api/schema.d.ts, from the OpenAPI document; --check says whether they are as they would be written.
set -euo pipefail
cd "$(dirname "$0")"
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --ignore-scripts --silent --fetch-retries=1 --fetch-timeout=20000
  cp package-lock.json node_modules/.installed
fi
written=$(mktemp --suffix=.d.ts)
trap 'rm -f "$written"' EXIT
node_modules/.bin/openapi-typescript ../../api/openapi.json -o "$written" >/dev/null
if [ "${1:-}" = --check ]; then
  cmp -s "$written" ../src/api/schema.d.ts || { echo "src/api/schema.d.ts is not what api/openapi.json says: run console/codegen/generate.sh" >&2; exit 1; }
else
  cp "$written" ../src/api/schema.d.ts
fi
