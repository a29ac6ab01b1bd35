#!/usr/bin/env bash
# All checks of the console: types of the API as they are, style, types, units, build and size, and what people do with it in a browser,
# against a cluster of its own. Needs Chromium (CHROMIUM names another program than /usr/bin/chromium) and Redis.
set -euo pipefail
cd "$(dirname "$0")/.."
node=$(scripts/ensure-node.sh)
export PATH="$node:$PATH"
chromium=${CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$chromium" ]; then
  echo "Chromium is needed: install it (apt-get install -y chromium fonts-wqy-microhei), or name it in CHROMIUM, and run this again." >&2
  exit 2
fi
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
cargo build --locked --quiet -p tickwheel-cli
cd console
CHROMIUM=$chromium npm run --silent flows -- "$@"
