# Every target does what its line in `make help` says; `make ci` is what the continuous integration runs.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# One profile for everything but `bench` and `release`, so that nothing is built twice.
CARGO ?= cargo
TICKWHEEL := target/debug/tickwheel

.PHONY: help quickstart console console-check console-test test simulate fuzz http-check test-doc servers ci proto fmt fmt-check lint doc deny zone-table examples bench chaos release redis

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

quickstart: redis ## Build, start everything, run the example jobs and watch them fire; FOR=20s ends with a summary
	@scripts/build-console.sh --or-warn
	@$(CARGO) build --quiet --locked -p tickwheel-cli
	@$(TICKWHEEL) quickstart -f deploy/examples/quickstart.yaml $(if $(FOR),--for $(FOR))

console: ## Build the web console, for the next build of the program to take it in; brings a Node where there is none
	@scripts/build-console.sh

console-check: ## Check the console without a browser: types of the API, style, types, units, size
	@scripts/test-console.sh --no-browser

console-test: redis ## The same, and what people do with it in Chromium: some minutes
	@scripts/test-console.sh

test: redis ## Run all tests
	@if command -v cargo-nextest >/dev/null 2>&1; then \
	  $(CARGO) nextest run --locked --workspace; \
	else \
	  $(CARGO) test --locked --workspace --lib --bins --tests; \
	fi

simulate: ## Simulate clusters with accidents, ten thousand of them; SEEDS=n as many, SEED=n one with its trace
	$(if $(SEED),TICKWHEEL_SIM_SEED=$(SEED)) $(if $(SEEDS),TICKWHEEL_SIM_SEEDS=$(SEEDS)) \
	  $(CARGO) test --release --locked -p tickwheel-tests --test simulation no_seed -- --nocapture

fuzz: ## Search for inputs that break a parser: TARGET=cron FOR=60; each one that meets the network has a target
	@scripts/fuzz.sh $(or $(TARGET),cron) $(or $(FOR),60)

http-check: redis ## Send what the OpenAPI document allows, and what it does not, to every path, by schemathesis; EXAMPLES=50 each
	@scripts/http-check.sh $(or $(EXAMPLES),50)

# The tests that run against Redis; `TICKWHEEL_REDIS_SERVER` names the program, `TICKWHEEL_REDIS_TOPOLOGY` one server or a cluster of three.
SERVERS ?= redis-server redis8 valkey8 valkey9
TOPOLOGIES ?= single cluster

servers: redis ## Run the store and end-to-end suites on Redis 7.0 and 8.0, Valkey 8.1 and 9.1, single and cluster
	@for kind in $(SERVERS); do \
	  case $$kind in redis-server) server=redis-server ;; *) server=$$(scripts/get-redis.sh $$kind) ;; esac; \
	  for topology in $(TOPOLOGIES); do \
	    echo "== $$kind, $$topology: $$($$server --version)"; \
	    TICKWHEEL_REQUIRE_REDIS=1 TICKWHEEL_REDIS_SERVER=$$server TICKWHEEL_REDIS_TOPOLOGY=$$topology \
	      $(CARGO) nextest run --locked --workspace -E 'package(tickwheel-store) | package(tickwheel-tracker) | package(tickwheel-tests)'; \
	  done; \
	done

proto: ## Write the generated code of the wire anew, after a change of proto/tickwheel
	$(CARGO) run --quiet --locked -p tickwheel-proto-generate
	$(CARGO) fmt --all

test-doc: ## Run the examples in the documentation
	$(CARGO) test --locked --workspace --doc

# The console first: what is built after it has it inside.
ci: fmt-check console-check lint test test-doc examples doc deny zone-table ## All checks, as the continuous integration runs them

fmt: ## Format the code
	$(CARGO) fmt --all

fmt-check:
	$(CARGO) fmt --all --check

# A worker is built with fewer features than the workspace as a whole: what is missing then is missing for its author only.
lint: ## Clippy over everything, and over the worker SDK, the client and the guard of URLs alone, luacheck over the scripts; warnings are errors
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked -p tickwheel-worker -- -D warnings
	$(CARGO) clippy --locked -p tickwheel-client --no-default-features -- -D warnings
	$(CARGO) clippy --locked -p tickwheel-http-handler --no-default-features -- -D warnings
	@scripts/lint-lua.sh

examples:
	$(CARGO) build --locked --workspace --examples

doc: ## Build the API documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

deny: ## Check licences, sources, forbidden dependencies and advisories
	@scripts/deny.sh

zone-table: ## Is the embedded table of time zones as new as the newest tzdata package?
	@$(CARGO) build --quiet --locked -p tickwheel-cli
	@scripts/check-zone-table.sh $(TICKWHEEL)

bench: redis ## Measure submit and drain on this machine; one JSON line each
	$(CARGO) build --release --locked -p tickwheel-bench
	target/release/tickwheel-bench submit --json
	target/release/tickwheel-bench drain --json

chaos: redis ## Provoke every fault of the catalogue, then two minutes of random ones; figures go to docs/faults.md
	$(CARGO) build --release --locked -p tickwheel-tests -p tickwheel-cli --bin chaos --bin tickwheel
	target/release/chaos --all --json --write docs/faults.md
	target/release/chaos --seconds 120 --seed 7 --json

release: ## Build the optimised binary, target/release/tickwheel
	$(CARGO) build --release --locked -p tickwheel-cli

redis:
	@scripts/ensure-redis.sh
