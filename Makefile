# Each target's comment is its help: `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help build test lint bench fuzz compat docker generate tidy ci clean

BIN := bin/flaghook

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build the static binary bin/flaghook; its version is the git tag or commit
	CGO_ENABLED=0 go build -trimpath -o $(BIN) ./cmd/flaghook

test: ## run all tests
	go test ./...

lint: ## gofmt, vet, staticcheck and golangci-lint, in the versions of .ci/go.mod
	.ci/run lint

bench: ## run all benchmarks; BENCH=regexp chooses
	go test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem ./...

fuzz: ## run every fuzz target briefly; FUZZ_EXECS=n sets the number of inputs
	.ci/run fuzz

compat: ## check against a checkout of a public integration framework in FLAGHOOK_COMPAT_DIR
	@test -n "$$FLAGHOOK_COMPAT_DIR" || { echo "set FLAGHOOK_COMPAT_DIR to a checkout of github.com/launchdarkly/integration-framework:"; echo "  FLAGHOOK_COMPAT_DIR=/path/to/integration-framework make compat"; exit 2; }
	@test -d "$$FLAGHOOK_COMPAT_DIR/integrations" || { echo "$$FLAGHOOK_COMPAT_DIR has no folder integrations; FLAGHOOK_COMPAT_DIR is the checkout's root"; exit 2; }
	FLAGHOOK_COMPAT_DIR="$$(cd "$$FLAGHOOK_COMPAT_DIR" && pwd)" go test -count=1 $$(grep -rl --include='*_test.go' FLAGHOOK_COMPAT_DIR . | xargs -n1 dirname | sort -u)

docker: ## build the container image flaghook
	docker build --tag flaghook .

generate: ## write generated files anew
	go generate ./...

tidy: ## bring go.mod and go.sum in line with the imports
	go mod tidy

ci: ## all that the continuous integration checks
	.ci/run

clean: ## remove what was built
	rm -rf bin coverage.out
