#!/usr/bin/env bash
# Runs cargo-deny over the dependencies: licences, sources and forbidden crates, and the newest advisories where they can be fetched. Those of
# scripts/advisories.tsv are looked at by the tests, wherever they run.
# Exit 1: something was found. Exit 2: cargo-deny is not there and cannot be built; the exact command has been printed.
set -euo pipefail
cd "$(dirname "$0")/.."

# The version that is built; another one that is installed does as well.
version=0.20.2

if ! cargo deny --version >/dev/null 2>&1; then
  echo "cargo-deny is not installed; building it: cargo install --locked --debug cargo-deny@$version" >&2
  # Without optimisation it is built in half the time, and runs for a second.
  if ! cargo install --quiet --locked --debug "cargo-deny@$version" >&2; then
    echo "cargo-deny cannot be built. Run this by hand and try again: cargo install --locked cargo-deny@$version" >&2
    exit 2
  fi
fi

cargo deny --locked check bans licenses sources

# An advisory that was found must not look like a database that was not.
if timeout 60 cargo deny --locked fetch db >/dev/null 2>&1; then
  cargo deny --locked check advisories
else
  echo "The newest advisories cannot be fetched (github.com): only those of scripts/advisories.tsv were looked at, by the tests."
fi
