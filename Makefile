# The one door: every task of the project. `make help` lists them.

# A crash must end a test, not open an interactive backtrace in a pipe.
export SWIFT_BACKTRACE ?= enable=no

BENCH ?=
JSON ?=
TIME ?= 60
TARGET ?=
SEEDS ?= 500
# As many as take a minute or so.
TEST_SEEDS ?= 120
SEED ?= $(or $(MARTLET_SEED),1)
SCENARIO ?=
KILLS ?= 1000
MINUTES ?= 10
LANES ?= 1024
IMAGES ?= 20
SWIFT ?= swift
sources := Package.swift Sources Tests Snippets Examples Fuzz Benchmarks/Package.swift Benchmarks/Sources

.DEFAULT_GOAL := help
# Programs that carry the Swift library run where there is none, and call it without detours.
release := -c release --static-swift-stdlib

define build_chaos
$(SWIFT) build $(release) --product martlet-slow-disk --quiet
$(SWIFT) build $(release) --product martlet-chaos --quiet
endef

.PHONY: help dependencies build test demo demo-fanout programs check lint format warnings bench bench-smoke fuzz simulate mutants chaos chaos-hosts cluster-demo scaling soak powercut docs sanitize clean

help: ## List the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

dependencies: ## Install the system packages that are missing
	@Scripts/dependencies

build: dependencies ## Build everything, snippets included
	$(SWIFT) build --build-tests

test: build ## Run all tests, simulated worlds included
	$(SWIFT) test --disable-xctest
	$(MAKE) simulate SEEDS=$(TEST_SEEDS)

demo: programs ## 100,000 orders for two groups of workers, of which one is killed and one is stopped
	Scripts/demo

demo-fanout: programs ## Events for three readers, of which one is stopped and one is killed
	Scripts/demo-fanout

programs: dependencies ## Build martlet-publisher, martlet-worker and martletctl for use
	$(SWIFT) build $(release) --quiet --product martlet-publisher
	$(SWIFT) build $(release) --quiet --product martlet-worker
	$(SWIFT) build $(release) --quiet --product martletctl

check: dependencies lint warnings test bench-smoke ## Everything that CI checks
	@echo "make check: everything passed"

lint: ## Check the format and the documentation of public symbols
	$(SWIFT) format lint --strict --recursive $(sources)

format: ## Put the sources into the project's format
	$(SWIFT) format --in-place --recursive $(sources)

warnings: dependencies ## Build with warnings as errors
	$(SWIFT) build --build-tests --scratch-path .build/warnings -Xswiftc -warnings-as-errors

bench: dependencies ## Measure against raw libzmq: BENCH=name, JSON=file
	$(SWIFT) build --package-path Benchmarks $(release) --quiet
	Benchmarks/.build/release/martlet-bench $(BENCH) $(if $(JSON),--json $(JSON))

bench-smoke: dependencies ## Run every benchmark briefly, for its checks, not for its figures
	$(SWIFT) build --package-path Benchmarks $(release)
	Benchmarks/.build/release/martlet-bench --quick

sanitize: dependencies ## Run the tests under AddressSanitizer and ThreadSanitizer
	Scripts/sanitize

fuzz: dependencies ## Feed every decoder random input: TIME=seconds for each, TARGET=name
	Scripts/fuzz $(TIME) $(TARGET)

simulate: dependencies ## Run simulated worlds: SEEDS=how many, MARTLET_SEED=the first
	$(SWIFT) build $(release) --product martlet-simulate --quiet
	.build/release/martlet-simulate --seed $(SEED) --seeds $(SEEDS)

mutants: dependencies ## Plant bugs in a copy of the machines, and look whether simulated worlds find them
	Scripts/mutants

chaos: dependencies ## Harm real processes: SCENARIO=which, MARTLET_SEED=what times are drawn from
	$(build_chaos)
	.build/release/martlet-chaos --seed $(SEED) $(SCENARIO)

chaos-hosts: programs ## Let everything happen to a cluster on five hosts, for MINUTES (needs root)
	$(build_chaos)
	.build/release/martlet-chaos hosts --minutes $(MINUTES) --seed $(SEED)

cluster-demo: ## Bring up a cluster with Compose, harm it, and say whether anything was lost
	docker/demo

scaling: dependencies ## Simulate large clusters, and draw what they send and move: LANES=of each stream
	$(SWIFT) build $(release) --product martlet-simulate --quiet
	.build/release/martlet-simulate topology --lanes $(LANES) > Docs/images/scaling.txt
	for plot in messages moves time; do \
		.build/release/martlet-simulate plot $$plot < Docs/images/scaling.txt \
			> Docs/images/scaling-$$plot.svg; \
	done

soak: dependencies ## Kill publishers, producers and workers KILLS times, and look whether anything was lost
	$(build_chaos)
	.build/release/martlet-chaos kills producers states groups --kills $(KILLS) --seed $(SEED)

powercut: dependencies ## Copy a disk at IMAGES random moments, as a power cut leaves it (needs root)
	$(build_chaos)
	Scripts/powercut .build/release/martlet-chaos $(IMAGES)

docs: dependencies ## Make the reference documentation in .build/docs
	Scripts/docs

clean: ## Remove what was built
	rm -rf .build Benchmarks/.build
