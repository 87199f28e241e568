#!/usr/bin/env bash
# packaging/licenses.sh FOLDER: the licences and notices of everything that is linked into the binaries, one folder a module,
# taken from the modules themselves. A module without a licence is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf "$1"
mkdir -p "$1"
for target in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do
	CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} \
		go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' .
done | sort -u | { cat; echo "go $(go env GOROOT)"; } | while read -r module folder; do
	mkdir -p "$1/$module"
	find "$folder" -maxdepth 1 -type f -iregex '.*/\(licen[cs]e\|copying\|notice\|patents\)[^/]*' \
		-exec install -m 644 -t "$1/$module" {} +
	ls "$1/$module" | grep -qiE '^(licen[cs]e|copying)' || { echo "$module has no licence in $folder" >&2; exit 1; }
done
