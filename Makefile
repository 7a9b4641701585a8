# The commands of the repository; README.md says what each is for.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
CARGO ?= cargo
PROFILE_DIR := target/debug
# Together with the browser's part, features of the browser would be switched on in the server.
NATIVE := --workspace --exclude certdeck-frontend
export CERTDECK_REQUIRE_POSTGRES ?= 1

# Set behind `cargo test`, which has built binaries and examples: `cargo build` gives dependencies other
# features, and would build nearly all of them again.
BUILT :=

# `--check-budget`: fail where the browser's part is larger than the project allows itself.
SITE_OPTIONS :=

# `make fuzz`: seconds for each target.
FUZZ_SECONDS ?= 20

# `make bench`: sizes, and the cores of server and load.
BENCH_ORDERS ?= 1000000
BENCH_POSTGRES_ORDERS ?= 300000
BENCH_SECONDS ?= 10
BENCH_ROUNDS ?= 2
BENCH_SERVER_CORE ?= 0
BENCH_LOAD_CORE ?= 1
BENCH_NODE_SHARE ?= 20
BENCH_DATA ?= target/bench
BENCH_TERMS = --certdeck target/release/certdeck --data $(BENCH_DATA) --seconds $(BENCH_SECONDS) \
	--server-core $(BENCH_SERVER_CORE)
BENCH = taskset -c $(BENCH_LOAD_CORE) target/release/certdeck-bench $(BENCH_TERMS)

help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

tools: ## Install what a build needs (WASM target, C compiler)
	@.ci/install build

xtask: tools
	@echo "==> Building the builder of the browser's part"
	$(CARGO) build -p xtask

# Not by `cargo run`, which would wait for the portal's build to end.
site: xtask ## Build the browser's part: WASM, styles, hashed and compressed
	$(PROFILE_DIR)/xtask site $(SITE_OPTIONS)

portal: xtask
	@echo "==> Building the portal (the first time takes some minutes)"
	$(CARGO) build -p certdeck

run: ## Run the portal with demonstration data on http://127.0.0.1:3000
	@# Side by side: each ends with crates that keep one core busy. The portal reads the site when it starts.
	@$(MAKE) --no-print-directory -j2 site portal
	@echo "==> Starting"
	$(PROFILE_DIR)/certdeck serve --demo

build: site ## Leave dist/certdeck and dist/certdeck-agent
	$(CARGO) build --release -p certdeck -p certdeck-agent
	mkdir -p dist
	install -m 755 target/release/certdeck target/release/certdeck-agent dist/

test: ## Run every test; installs PostgreSQL, Chromium, nginx and ACME clients where missing
	@.ci/install build test
	@$(MAKE) --no-print-directory -j2 site tests SITE_OPTIONS=--check-budget
	CERTDECK_PKILINT=$(CURDIR)/target/pkilint/bin $(CARGO) test $(NATIVE)
	$(MAKE) fuzz
	$(MAKE) e2e interop BUILT=1

tests: xtask
	@echo "==> Building the tests"
	$(CARGO) test $(NATIVE) --no-run

e2e: site ## Run the browser tests, with JavaScript on and off
	@.ci/install build test
	$(if $(BUILT),,$(CARGO) build -p certdeck -p certdeck-agent)
	cd end2end && npm ci --no-audit --no-fund --loglevel=error && npx playwright test

interop: site ## Run real ACME clients against the portal, over https
	@.ci/install build test
	$(if $(BUILT),,$(CARGO) build -p certdeck)
	$(if $(BUILT),,$(CARGO) build $(NATIVE) --example instant-acme)
	CI=1 end2end/acme/run

fuzz: ## Fuzz the readers of JWS, CSR and JSON for a bounded time (FUZZ_SECONDS each)
	@.ci/install build fuzz
	fuzz/run $(FUZZ_SECONDS)

lint: tools ## Format and clippy, native and WASM
	$(CARGO) fmt --all -- --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml -- --check
	$(CARGO) clippy $(NATIVE) --all-targets -- -D warnings
	$(CARGO) clippy -p certdeck-frontend --target wasm32-unknown-unknown -- -D warnings

deny: ## Licences, bans, sources and duplicate versions
	@command -v cargo-deny >/dev/null || $(CARGO) install cargo-deny --locked
	cargo deny check licenses bans sources

advisories: ## Known vulnerabilities of dependencies (needs the advisory database)
	@command -v cargo-deny >/dev/null || $(CARGO) install cargo-deny --locked
	@cargo deny check advisories || { echo "advisories: not checked, or findings above (without network the database cannot be had)"; exit 1; }

check: lint deny test ## All that CI checks

bench: site ## Measure; docs/BENCHMARKS.md has the figures and how to read them
	$(CARGO) build --release -p certdeck -p certdeck-bench
	@# All parts run, and then it fails where one has missed a target.
	failed=0; \
	$(BENCH) --orders $(BENCH_ORDERS) pages || failed=1; \
	$(BENCH) --orders $(BENCH_ORDERS) acme --rounds $(BENCH_ROUNDS) || failed=1; \
	$(BENCH) --orders $(BENCH_POSTGRES_ORDERS) postgres --rounds $(BENCH_ROUNDS) --share $(BENCH_NODE_SHARE) || failed=1; \
	exit $$failed

.PHONY: help tools xtask site portal run build test tests fuzz e2e interop lint deny advisories check bench
