# Headwater: `make help` tells what there is. What takes more than a line stands in deploy/scripts.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build run demo test lint bench fuzz asan

# One build serves everything: the tests need nothing but what `build` has made, and themselves.
SWIFT_BUILD := swift build -c release --explicit-target-dependency-import-check error

# How long `make fuzz` gives each decoder.
SECONDS := 60

help: ## Tell what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the system packages that building, testing and the demonstration need (apt)
	@deploy/scripts/setup

build: ## Build both services (release)
	@$(SWIFT_BUILD)

run: build ## Run both services on this host until Ctrl-C
	@deploy/scripts/run

demo: setup build ## Set up, build, run both, and publish a live test picture until Ctrl-C
	@deploy/scripts/demo

# Rooms one test at a time, so that none waits for the processor past its deadlines; the services all at once, but for
# those that transcode or have hundreds of readers: they take the processors for themselves.
test: setup ## Set up, build, run the unit and end-to-end tests, and every fuzz entry for 2 s
	@$(SWIFT_BUILD) --build-tests
	@swift test -c release --skip-build --no-parallel --skip EndToEndTests
	@HEADWATER_BIN="$$($(SWIFT_BUILD) --show-bin-path)" swift test -c release --skip-build \
		--filter EndToEndTests --skip 'EndToEndTests.(Transcode|Cache|Nginx)'
	@HEADWATER_BIN="$$($(SWIFT_BUILD) --show-bin-path)" swift test -c release --skip-build \
		--filter EndToEndTests.Transcode
	@HEADWATER_BIN="$$($(SWIFT_BUILD) --show-bin-path)" swift test -c release --skip-build --no-parallel \
		--filter 'EndToEndTests.(Cache|Nginx)'
	@deploy/scripts/fuzz 2

lint: ## Check the format of all sources, the scripts, the systemd units and the caches' recipes
	@deploy/scripts/lint

bench: setup build ## Measure latency, fan-out, cores, memory, complete objects, publishers, transcoding
	@HEADWATER_BIN="$$($(SWIFT_BUILD) --show-bin-path)" Tests/Bench/run

asan: setup build ## Transcode under AddressSanitizer: starts, stops, reconnects, format changes, inputs
	@Tests/Bench/asan

fuzz: ## Feed every decoder random bytes, each for SECONDS=60
	@deploy/scripts/fuzz $(SECONDS)
