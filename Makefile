# Go is needed for everything here; `make test` and `make demo` install the other things (see testdata/install).
.POSIX:

GO = go
CLIENT =
FUZZTIME = 60s
SOAK = 10

build: go
	$(GO) build -o carillon ./cmd/carillon
	$(GO) build -o jingle-echo ./cmd/jingle-echo

# All checks and tests, those with real servers, browsers and Dino included.
test:
	@GO=$(GO) testdata/check test

# The end-to-end calls many times over, then every fuzz target for a minute.
soak:
	@GO=$(GO) E2E_REPETITIONS=$(SOAK) testdata/check soak

fuzz:
	@GO=$(GO) testdata/check fuzz $(FUZZTIME)

vet:
	@GO=$(GO) testdata/check vet

# Pictures of every screen of the pages, in both themes, on a phone and on a desktop: testdata/screenshots.
screenshots:
	@GO=$(GO) testdata/check screenshots

# Benchmarks, and Carillon side by side with npm's stanza and peer.
bench:
	@GO=$(GO) testdata/check bench

# A server, Carillon and something to call, until Ctrl-C. CLIENT=dino opens a Dino as well.
demo: go
	@testdata/install prosody
	@if [ "$(CLIENT)" = dino ]; then \
		if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then testdata/install desktop; else testdata/install dino; fi; \
	fi
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && trap : INT TERM && $(GO) build -o "$$dir" ./cmd/carillon ./cmd/jingle-echo && \
	if [ -n "$(CLIENT)" ]; then set -- -client "$(CLIENT)"; fi; "$$dir/carillon" demo "$$@"

clean:
	rm -rf carillon jingle-echo testdata/dino/build testdata/browser/node_modules

go:
	@GO=$(GO) testdata/check go

.PHONY: build test soak fuzz vet screenshots bench demo clean go
