#!/usr/bin/env bash
# Searches for inputs that break a target of tests/fuzz, guided by what the inputs reach: fuzz.sh TARGET SECONDS.
# What reaches something new is kept in target/fuzz/TARGET; an input that breaks it is printed, and left in target/fuzz/broken.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1
seconds=$2

if ! command -v c++ >/dev/null 2>&1; then
  echo "A C++ compiler is needed for libFuzzer: install one (apt-get install -y g++), so that c++ is in PATH, and run this again." >&2
  exit 2
fi
host=$(rustc -vV | sed -n 's/^host: //p')
counters="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
counters+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
# With a target of its own, so that build scripts and macros are built without counters.
RUSTFLAGS="$counters --cfg fuzzing" cargo build --quiet --release --target "$host" \
  --manifest-path tests/fuzz/guided/Cargo.toml --target-dir target/fuzz/build
mkdir -p "target/fuzz/$target" target/fuzz/broken
export TICKWHEEL_FUZZ_TARGET=$target
exec "target/fuzz/build/$host/release/tickwheel-fuzz-guided" "target/fuzz/$target" \
  -max_total_time="$seconds" -max_len=4096 -timeout=5 -rss_limit_mb=1024 -artifact_prefix=target/fuzz/broken/ -print_final_stats=1
