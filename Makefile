# Every target is one readable line; `make help` lists them.
GO        ?= go
FUZZTIME  ?= 30s
MODELTIME ?= 10m
CUTS      ?= 20000
BIN       := bin/helenus

.DEFAULT_GOAL := help
.PHONY: help build run test race fuzz bench bench-storage restart wide model powercuts oracle clients suites sstables abuse lint golangci fmt ci clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

build: ## build bin/helenus, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/helenus

run: build ## build and start a node on 127.0.0.1:9042, ready for cqlsh
	$(BIN) start

test: build ## build and run every test; only Go is needed
	$(GO) test ./...
	cd integration && HELENUS_BIN=$(CURDIR)/$(BIN) $(GO) test ./...
	@echo "not run here: cqlsh and the Python, Java, Node.js and Rust drivers; make clients installs and runs them"

race: ## the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race ./...

fuzz: ## each fuzz target for FUZZTIME (30s)
	./integration/fuzz.sh $(FUZZTIME)

bench: build ## Helenus, Cassandra and the floor in one run, as ratios
	cd integration && $(GO) run ./bench $(CURDIR)/$(BIN)

bench-storage: ## the storage engine and Pebble on the same work in one run, as ratios (BENCHFLAGS=-quick for a look)
	cd integration && $(GO) run ./storagebench $(BENCHFLAGS)

restart: build ## time from start to ready with 10 GiB of tables and a full commit log (BENCHFLAGS=-gib=2 for less)
	cd integration && $(GO) run ./restart $(BENCHFLAGS) $(CURDIR)/$(BIN)

wide: ## a partition of 5 M rows and 2 GiB written, read both ways, compacted: how much memory that takes
	cd integration && $(GO) run ./wide $(BENCHFLAGS)

model: ## the storage engine against a naive model for MODELTIME (10m), under many sets of options
	HELENUS_MODEL=$(MODELTIME) $(GO) test ./storage -run 'TestModel$$' -count=1 -timeout 0 -v | grep -v -e '^=== ' -e '^    --- PASS'

powercuts: ## CUTS (20000) random power cuts of the storage engine, each opened and compared
	HELENUS_CUTS=$(CUTS) $(GO) test ./storage -run TestPowerCuts -count=1 -timeout 0 -v | grep -v -e '^=== ' -e '^    --- PASS'

oracle: build ## compare with a live Cassandra and record its answers anew (needs Java and Maven)
	cd integration && HELENUS_BIN=$(CURDIR)/$(BIN) ./oracle/run.sh

clients: build ## seven real clients against Helenus, as a table client x protocol version
	cd integration && HELENUS_BIN=$(CURDIR)/$(BIN) ./clients/run.sh

suites: build ## the drivers' own test suites against Helenus, with what fails and why
	cd integration && HELENUS_BIN=$(CURDIR)/$(BIN) ./suites/run.sh

sstables: build ## random schemas: Cassandra judges and serves our tables, we read its (needs Java and Maven)
	cd integration && HELENUS_BIN=$(CURDIR)/$(BIN) ./sstables/run.sh

abuse: build ## a million malformed frames, half-sent headers and floods beside a good client
	cd integration && HELENUS_BIN=$(CURDIR)/$(BIN) ABUSE_FRAMES=1000000 ABUSE_STRICT=1 $(GO) test ./abuse -run Campaign -count=1 -timeout 40m -v

lint: ## go vet, staticcheck, formatting
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run make fmt"; exit 1; }

golangci: ## the further linters of .golangci.yml; the first run compiles them for minutes
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run
	cd integration && $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run -c ../.golangci.yml

fmt: ## format all Go files
	gofmt -w .

ci: lint test ## what CI runs

clean: ## remove what was built
	rm -rf bin .cache integration/.cache
