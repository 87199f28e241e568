# Everything a contributor needs, in the order it is usually needed. `build`,
# `test` and `demo` need Go alone; the rest fetches its tools into .bin/.

GOLANGCI_LINT_VERSION := v2.15.0
HELM_VERSION := v3.22.0
HELM    := .bin/helm-$(HELM_VERSION)
CHART   := packaging/helm/cloudsso-exporter
GORELEASER_VERSION := v2.15.1
CYCLONEDX_VERSION := v1.10.0
PKG     := github.com/prometheus/common/version
# Without git, in an image or an unpacked archive, the version is that of the changelog.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || sed -n 's/^\#\# \([0-9][^ ]*\).*/\1/p' CHANGELOG.md | head -n 1)
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -s -w -X $(PKG).Version=$(VERSION) -X $(PKG).Revision=$(REVISION) \
	-X $(PKG).Branch=$(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)

.PHONY: build
build: ## a static binary in bin/
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/cloudsso_exporter .

.PHONY: test
test: ## all tests that need Go alone
	go vet ./...
	go test -shuffle=on ./...

.PHONY: race
race: ## the same with the race detector (needs a C compiler)
	go test -race -shuffle=on ./...

.PHONY: demo
demo: ## a simulated CloudSSO and the exporter, on loopback
	go run . demo

.PHONY: lint
lint: .bin/golangci-lint-$(GOLANGCI_LINT_VERSION) ## golangci-lint; depguard holds the arrows between packages
	$< run ./...

.bin/golangci-lint-%:
	GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*
	mv .bin/golangci-lint $@

.bin/helm-%:
	GOBIN=$(CURDIR)/.bin go install helm.sh/helm/v3/cmd/helm@$*
	mv .bin/helm $@

# A tagged commit without changes is a release; anything else is a snapshot.
RELEASED = $(and $(shell git describe --tags --exact-match 2>/dev/null),$(if $(shell git status --porcelain),,yes))

.PHONY: dist
dist: .bin/goreleaser-$(GORELEASER_VERSION) .bin/cyclonedx-gomod-$(CYCLONEDX_VERSION) ## archives, packages, checksums and lists of materials in dist/
	ln -sf cyclonedx-gomod-$(CYCLONEDX_VERSION) .bin/cyclonedx-gomod
	PATH="$(CURDIR)/.bin:$$PATH" $< release --clean --skip=publish $(if $(RELEASED),,--snapshot)

.bin/goreleaser-%:
	GOBIN=$(CURDIR)/.bin go install github.com/goreleaser/goreleaser/v2@$*
	mv .bin/goreleaser $@

.bin/cyclonedx-gomod-%:
	GOBIN=$(CURDIR)/.bin go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$*
	mv .bin/cyclonedx-gomod $@

.PHONY: packages
packages: ## builds dist twice, installs, runs, upgrades and purges the package on this machine (root; Debian)
	packaging/test.sh

.PHONY: generate
generate: $(HELM) ## files made from others: the metrics reference, the Kubernetes manifests
	go generate ./...
	$(HELM) template cloudsso-exporter $(CHART) --namespace monitoring --values deploy/values.yaml --output-dir .bin/manifests
	mv .bin/manifests/cloudsso-exporter/templates/*.yaml deploy/kubernetes/

.PHONY: check-generated
check-generated: generate ## fails when they were not up to date
	git diff --exit-code -- docs deploy/kubernetes

.PHONY: bench
bench: ## speed and memory, as ratios against a floor in the same run, in one table
	./scripts/bench.sh

.PHONY: fuzz
fuzz: ## half a million inputs for each fuzz target, 5,000 histories of a window
	./scripts/fuzz.sh 500000

.PHONY: rules
rules: ## the alerting rules: promtool's tests, vmalert's check (builds both once)
	$(MAKE) -C e2e rules

.PHONY: e2e
e2e: ## the exporter under a real Prometheus, VictoriaMetrics and Alertmanager (builds them once)
	$(MAKE) -C e2e e2e

.PHONY: dashboards
dashboards: ## the dashboards against Grafana's own schema (needs npm)
	cd dashboards/check && npm ci --no-audit --no-fund && node check.mjs && npm test

.PHONY: chart
chart: $(HELM) ## the Helm chart: lint, and what it makes of its examples (builds helm once)
	for values in packaging/helm/examples/*.yaml; do $(HELM) lint --quiet --strict $(CHART) --values $$values || exit; done
	cd e2e && HELM=$(CURDIR)/$(HELM) go test -count=1 ./chart $(if $(UPDATE),-update)

.PHONY: image-test
image-test: ## the image, built by buildah and run by runc (needs root on Debian)
	packaging/image/test.sh

.PHONY: help
help:
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | column -t -s '	'
