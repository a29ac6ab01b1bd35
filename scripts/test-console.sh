#!/usr/bin/env bash
# All checks of the console: types of the API as they are, style, types, units, build and size, and what people do with it in a browser,
# against a cluster of its own. Needs Redis; brings Chromium where it can, and CHROMIUM names another one. With --no-browser all but the last.
set -euo pipefail
cd "$(dirname "$0")/.."
node=$(scripts/ensure-node.sh)
export PATH="$node:$PATH"
(
  cd console
  scripts/install.sh
  codegen/generate.sh --check
  npm run --silent lint
  npm run --silent typecheck
  npm run --silent test
)
scripts/build-console.sh
(cd console && npm run --silent size)
if [ "${1:-}" = --no-browser ]; then
  exit
fi
chromium=$(scripts/ensure-chromium.sh)
# As the tests build it: the program alone would have other features of what it is made of, and be compiled anew.
cargo build --locked --quiet --workspace --tests
cd console
CHROMIUM=$chromium npm run --silent flows -- "$@"
