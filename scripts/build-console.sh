#!/usr/bin/env bash
# Builds the console into console/dist/app, where the next build of the program takes it from; nothing is done when its sources are those
# of last time. With --or-warn a failure is a warning: the program then says in place of the console how to build it.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --or-warn ]; then
  if ! scripts/build-console.sh; then
    echo "warning: the console was not built (see above); everything else works. \`make console\` builds it." >&2
  fi
  exit
fi

stamp=console/dist/stamp
sources() {
  find console/src console/public console/scripts console/index.html console/package.json console/package-lock.json \
    console/vite.config.ts console/tsconfig.json -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
}
now=$(sources)
if [ -f console/dist/app/index.html ] && [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then
  exit
fi
echo "building the console…" >&2
node=$(scripts/ensure-node.sh)
export PATH="$node:$PATH"
cd console
scripts/install.sh
npm run --silent build >&2
cd ..
printf '%s\n' "$now" >"$stamp"
echo "the console is in console/dist/app; the next build of the program has it"
