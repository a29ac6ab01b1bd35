#!/usr/bin/env bash
# Writes the types of the API, src/api/schema.d.ts, from the OpenAPI document; --check says whether they are as they would be written.
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules ] || npm ci --ignore-scripts --silent
node_modules/.bin/openapi-typescript ../../api/openapi.json -o "${TMPDIR:-/tmp}/schema.$$.d.ts" >/dev/null
written="${TMPDIR:-/tmp}/schema.$$.d.ts"
trap 'rm -f "$written"' EXIT
if [ "${1:-}" = --check ]; then
  cmp -s "$written" ../src/api/schema.d.ts || { echo "src/api/schema.d.ts is not what api/openapi.json says: run console/codegen/generate.sh" >&2; exit 1; }
else
  cp "$written" ../src/api/schema.d.ts
fi
