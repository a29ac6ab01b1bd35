#!/usr/bin/env bash
# Sends what `api/openapi.json` allows, and what it does not, to a cluster with some jobs and runs, by schemathesis: http-check.sh EXAMPLES.
# Every answer has to be of the form that is described, and none a failure of the server. Two of its checks are left out:
# `positive_data_acceptance`, as cursors and rules between fields are more than a schema can say, and that of `Allow`, which names the
# methods of all that a path may be: `/jobs/a:run` is a verb of the job `a`, and the job `a/run`.
set -euo pipefail
cd "$(dirname "$0")/.."
examples=$1
version=4.32.5
tools=target/http-check

if ! "$tools/bin/schemathesis" --version 2>/dev/null | grep -qF "$version"; then
  if ! python3 -m venv "$tools" 2>/dev/null; then
    echo "Python with venv is needed for schemathesis: install it (apt-get install -y python3-venv), and run this again." >&2
    exit 2
  fi
  "$tools/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi
cargo build --locked --quiet -p tickwheel-cli
tickwheel=target/debug/tickwheel
work=$(mktemp -d)
port=$((20000 + RANDOM % 10000))
"$tickwheel" dev --data-dir "$work/data" --grpc-listen "127.0.0.1:$port" --http-listen "127.0.0.1:$((port + 1))" >"$work/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$work"' EXIT
export TICKWHEEL_SERVER=http://127.0.0.1:$port
api=http://127.0.0.1:$((port + 1))/api/v1
until curl --silent --fail --output /dev/null "$api/openapi.json"; do
  if ! kill -0 "$server" 2>/dev/null; then
    echo "The server did not start:" >&2
    cat "$work/log" >&2
    exit 1
  fi
  sleep 0.1
done
"$tickwheel" apply -f deploy/examples/quickstart.yaml >/dev/null
for number in $(seq 20); do
  "$tickwheel" submit echo --body "{\"number\":$number}" --wait >/dev/null
  "$tickwheel" submit nobody --delay 1h >/dev/null
done
# Streams have no end of their own.
status=0
"$tools/bin/schemathesis" run "$api/openapi.json" --url "$api" --max-examples "$examples" --request-timeout 40 --max-response-time 30 \
  --checks all --exclude-checks positive_data_acceptance,allow_header_conformance --exclude-path-regex '^/stream$' --no-color || status=$?
if ! kill -0 "$server" 2>/dev/null || grep -qE '^\S+ +ERROR |panicked' "$work/log"; then
  echo "The server failed, or ended:" >&2
  tail -n 40 "$work/log" >&2
  exit 1
fi
exit "$status"
