# Aparté's build. `make` lists the targets.
#
# What the build needs beyond Go and npm it fetches itself into .tools/
# (Node 22 where the machine's is older, the linters) or, as root, with apt.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Steps share two cores and print one after the other, but for those that mostly wait for a
# network, a disk or a compiler of one thread: `make test` has them beside one another.
ifndef BESIDE
.NOTPARALLEL:
endif
beside := $(MAKE) --no-print-directory --jobs=3 --output-sync=target BESIDE=1

# Of `make soak`: how long, how often the program is killed, how often the power is cut,
# how often a process that records is killed, how many lives of two posts are lived.
DURATION  ?= 10m
KILLS     ?= 500
POWERCUTS ?= 500
CRASHES   ?= 200
MODELS    ?= 100

NODE_MIN     := 22
NODE_VERSION := 22.23.3

# One way of compiling for building, vetting and linting; only the race detector needs C.
export CGO_ENABLED := 0

export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export BIN_APARTE := $(CURDIR)/bin/aparte
# The S3-compatible store that the tests run.
export BIN_VERSITYGW := $(CURDIR)/.tools/bin/versitygw
# Where tests write which rule of the protocol they showed.
export CONFORMANCE_RESULTS := $(CURDIR)/test-results/conformance

# The web tools need Node 22. An older machine gets it as an npm package in .tools/:
# the one for its system, which holds nothing but the program and runs no script.
machine_node := $(shell node -p 'parseInt(process.versions.node) >= $(NODE_MIN)' 2>/dev/null)
ifneq ($(machine_node),true)
node := .tools/node_modules/node/bin/node
export PATH := $(CURDIR)/.tools/node_modules/node/bin:$(PATH)
endif

npm := npm --no-audit --no-fund --no-update-notifier

web_sources := $(shell find web -type f \
	-not -path '*/node_modules/*' -not -path 'web/dist/*' -not -path 'web/e2e/*' -not -name '*.go' -not -name '*.test.*' 2>/dev/null)
# What the browser opens recordings with.
opener_sources := go.mod go.sum $(shell find cmd/aparte-opener recorder/opening recorder/seal recorder/journal recorder/export recorder/mux recorder/clock recorder/jitter sfu/tap sfu/codec -name '*.go' -not -name '*_test.go')
# SQLite's C, made into Go, and its allocator are all that is not watched for races: their
# memory is not Go's, and watching it took half of the tests' time; nor are their pointers and
# those of the C library under them checked. No other package may be added that instantiates
# generics: the linker keeps one copy of sync's own, and one that is not watched hides the
# order that it makes from all the others.
race := -race $(foreach c,sqlite/lib memory,-gcflags='modernc.org/$(c)=-race=false -d=checkptr=0') -gcflags='modernc.org/libc=-d=checkptr=0'
# One package more at a time than two cores need: several wait for the network most of the time.
packages := $(shell echo $$(($$(nproc) + 1)))
# They take longest, and one waits most of that: begun first, since each had the machine to itself for more than a minute at the end.
first := ./signaling/wire ./signaling/api
conformance_table := go run -C signaling/wire/sdktest ./conform/table -root $(CURDIR) -results $(CONFORMANCE_RESULTS)
# Modules of their own (tests against other versions of what we import); the linters' module is not one of them.
nested := $(patsubst %/go.mod,%,$(shell find sfu signaling cmd recorder -name go.mod 2>/dev/null))

##@ Run

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: build ## build everything and start it on http://127.0.0.1:7880 with demo links
	exec bin/aparte serve --dev

.PHONY: build
build: web ## build the self-contained bin/aparte
	go build -o bin/ ./cmd/...

.PHONY: web
web: web/dist/index.html web/dist/opener/opener.wasm ## build the web client into web/dist

.PHONY: clean
clean: ## delete what was built, keep what was downloaded
	rm -rf bin test-results web/dist/* web/e2e/.fixtures .tools/stamps

##@ Test

.PHONY: test
test: prepared checked test-go test-waiting test-e2e check-conformance ## everything that CI runs

.PHONY: prepared checked
prepared:
	$(beside) test-packages build .tools/stamps/e2e .tools/bin/golangci-lint $(BIN_VERSITYGW)
checked: | prepared
	$(beside) check test-web

.PHONY: check
check: check-go check-web check-generated ## formatting, linters, types, import rules, generated files

.PHONY: check-go
check-go: .tools/bin/golangci-lint | test-packages
	@dirty="$$(git ls-files --cached --others --exclude-standard '*.go' | xargs -r ls 2>/dev/null | xargs -r .tools/bin/gofumpt -l -modpath aparte)"; \
	if [ -n "$$dirty" ]; then echo "gofumpt: run 'make format' for"; echo "$$dirty"; exit 1; fi
	.tools/bin/golangci-lint run ./...
	GOOS=js GOARCH=wasm .tools/bin/golangci-lint run ./cmd/aparte-opener
	go test -run 'TestImports' ./cmd/aparte

.PHONY: check-web
check-web: .tools/stamps/web .tools/stamps/e2e
	cd web && $(npm) run check
	cd web && $(npm) run contrast
	cd web/e2e && $(npm) run check

.PHONY: check-generated
check-generated: build ## the API's description and the types made from it are current
	.ci/generate --check

.PHONY: check-conformance
check-conformance: ## docs/conformance.md is what test-nested and test-e2e showed
	$(conformance_table) -check

.PHONY: generate
generate: build ## write the API's description and the types made from it
	.ci/generate

.PHONY: format
format: .tools/bin/golangci-lint ## format the Go files
	git ls-files --cached --others --exclude-standard '*.go' | xargs -r ls 2>/dev/null | xargs -r .tools/bin/gofumpt -w -modpath aparte

.PHONY: test-go
test-go: build $(BIN_VERSITYGW) ## Go tests with the race detector
	CGO_ENABLED=1 go test $(race) -vet=off -ldflags=-w -p $(packages) -timeout 20m $(first) ./...

.PHONY: test-nested
test-nested: build ## Go modules of their own, against bin/aparte
	rm -rf $(CONFORMANCE_RESULTS)
	@for module in $(nested); do \
		echo "$$module:"; \
		(cd "$$module" && go vet ./... && CGO_ENABLED=1 go test -race -vet=off -ldflags=-w -count=1 ./...); \
	done

# The nested modules mostly wait, for what a server does after a minute: fuzzing has what
# they leave of the cores, and its output comes when theirs has.
.PHONY: test-waiting
test-waiting: build ## test-nested, and test-fuzz beside it
	@mkdir -p test-results; \
	nice -n 19 $(MAKE) --no-print-directory test-fuzz >test-results/fuzz.log 2>&1 & fuzz=$$!; \
	trap 'kill $$fuzz 2>/dev/null || true' EXIT; \
	failed=; \
	$(MAKE) --no-print-directory test-nested || failed="$$failed test-nested"; \
	wait $$fuzz || failed="$$failed test-fuzz"; \
	cat test-results/fuzz.log; \
	[ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }

.PHONY: test-web
test-web: web ## web client's unit tests and byte budgets
	cd web && $(npm) test
	cd web && $(npm) run size

.PHONY: test-fuzz
test-fuzz: ## each fuzz target for a few seconds
	.ci/fuzz 2s

.PHONY: test-e2e
test-e2e: build test-packages .tools/stamps/e2e ## journeys through real browsers (ARGS=journey-1 for one)
	cd web/e2e && $(npm) test -- $(ARGS)

.PHONY: test-packages
test-packages: ## install what the tests need of the system
	.ci/install-packages test

.PHONY: conformance
conformance: build test-packages .tools/stamps/e2e ## the LiveKit protocol's rules alone, and docs/conformance.md
	rm -rf $(CONFORMANCE_RESULTS)
	failed=; \
	(cd signaling/wire/sdktest && CGO_ENABLED=1 go test -race -count=1 ./...) || failed=1; \
	(cd web/e2e && $(npm) test -- livekit-client.spec codecs.spec dynacast.spec conformance.spec conformance-firefox.spec ways.spec) || failed=1; \
	$(conformance_table) && test -z "$$failed"

##@ Longer

.PHONY: fuzz
fuzz: ## each fuzz target for five minutes
	.ci/fuzz 5m

.PHONY: bench
bench: build ## the forwarding path beside plain Pion, recording, how far sound and picture are apart, memory, times, films and the guest's first page beside their targets
	go test -run '^$$' -bench . -benchmem ./sfu/... | tee bin/bench.txt
	go test -run '^$$' -bench '^Benchmark(Figures|Knocking)$$' -benchtime 1x -timeout 30m ./cmd/aparte-load/trial -forwarding $(CURDIR)/bin/bench.txt
	go test -run '^$$' -bench '^BenchmarkJournal$$' -benchtime 500x ./recorder
	go test -run '^$$' -bench '^BenchmarkRooms$$' -benchtime 1x ./recorder
	go test -count=1 -v -run '^Test(FlashAndBeep|AnHour)$$' ./recorder/export
	go test -run '^$$' -bench '^BenchmarkComposition$$' -benchtime 1x -timeout 30m ./recorder/compose/render
	$(MAKE) bench-entry

.PHONY: bench-entry
bench-entry: build test-packages .tools/stamps/e2e .tools/stamps/bench ## the guest's first page: Lighthouse, and on a slow link
	cd web/e2e/bench && $(npm) run check && $(npm) run bench

.PHONY: soak
soak: build ## come and go for DURATION (10m), kill KILLS (500) and cut the power POWERCUTS (500) times, kill what records CRASHES (200) times, live MODELS (100) lives of two posts; the server must be afterwards what it was
	go test -count=1 -v -run '^TestSoak$$' -timeout 0 ./cmd/aparte-load/trial -soak $(DURATION)
	go test -count=1 -v -run '^TestAcknowledged(Decisions|Consent)Survives?Kill$$' -timeout 0 ./cmd/aparte/crashtest -rounds $(KILLS)
	go test -count=1 -v -run '^TestAcknowledgedDecisionsSurvivePowerFailures$$' -timeout 0 ./signaling/store -powercuts $(POWERCUTS)
	go test -count=1 -v -run '^TestKilled$$' -timeout 0 ./recorder -crashes $(CRASHES)
	go test -count=1 -v -run '^TestNobodyIsMoreThanTheirPostMakesThem$$' -timeout 0 ./signaling/api -rapid.checks $(MODELS)

.PHONY: screenshots
screenshots: build test-packages .tools/stamps/e2e ## every page and state in each size, theme and language, and the README's picture
	cd web/e2e && $(npm) run screenshots

# Stamps. They say when something was last fetched, never what it is: the lock files do.

web/dist/index.html: $(web_sources) .tools/stamps/web
	cd web && $(npm) run build
	touch $@

# Go for the browser, with the script that starts it, which belongs to the compiler that made it.
web/dist/opener/opener.wasm: $(opener_sources) web/scripts/compress.mjs web/dist/index.html
	mkdir -p $(@D)
	GOOS=js GOARCH=wasm go build -trimpath -buildvcs=false -ldflags='-s -w' -o $@ ./cmd/aparte-opener
	cp "$$(go env GOROOT)/lib/wasm/wasm_exec.js" $(@D)/
	(echo "Go $$(go env GOVERSION), and its wasm_exec.js"; cat "$$(go env GOROOT)/LICENSE"; \
	GOOS=js GOARCH=wasm go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/aparte-opener | sort -u | \
	while read -r module version folder; do printf '\n\n%s %s\n' "$$module" "$$version"; cat "$$folder"/LICENSE; done) > $(@D)/licences.txt
	cd web && node scripts/compress.mjs dist/opener
	touch $@

.tools/stamps/web: web/package-lock.json $(node)
	cd web && $(npm) ci
	mkdir -p $(@D) && touch $@

.tools/stamps/e2e: web/e2e/package-lock.json $(node)
	cd web/e2e && $(npm) ci
	mkdir -p $(@D) && touch $@

.tools/stamps/bench: web/e2e/bench/package-lock.json $(node)
	cd web/e2e/bench && $(npm) ci
	mkdir -p $(@D) && touch $@

.tools/bin/golangci-lint: .ci/tools/go.mod .ci/tools/go.sum
	mkdir -p $(@D)
	go build -C .ci/tools -o $(CURDIR)/.tools/bin/ tool
	touch $@

# A module of its own: its dependencies are many, and neither the product's nor the linters'.
# What of it serves this test needs no symbols.
$(BIN_VERSITYGW): .ci/versitygw/go.mod .ci/versitygw/go.sum
	mkdir -p $(@D)
	go build -C .ci/versitygw -ldflags='-s -w' -o $@ tool
	touch $@

ifdef node
$(node):
	@command -v npm >/dev/null || { echo 'npm is missing. Install with:  sudo apt-get install --yes npm'; exit 1; }
	@echo "Node here: $$(command -v node >/dev/null && node --version || echo none); fetching Node $(NODE_VERSION) into .tools/ for the web tools"
	system=$$(uname -s | tr A-Z a-z); machine=$$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/'); \
	$(npm) install --prefix .tools --no-save --no-package-lock --ignore-scripts node@npm:node-$$system-$$machine@$(NODE_VERSION)
	test -x $@ && touch $@
endif
