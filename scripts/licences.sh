#!/bin/sh
# Writes the licence texts of Go and of every module that is linked into the binary, on whatever platform, to standard output. The texts
# come from the module cache; nothing is downloaded. A module without a licence text is an error.
#
#   scripts/licences.sh > third-party-licences.txt
set -eu
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tab=$(printf '\t')
export LC_ALL=C

# Module, its folder, and the folder of each package that is used.
for os in linux darwin windows; do
	GOOS=$os CGO_ENABLED=0 go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}	{{.Dir}}	{{$.Dir}}{{end}}{{end}}' .
done >"$tmp/list"
sort -u -o "$tmp/packages" "$tmp/list"

# The texts in each folder from that of a package up to that of its module: code that a module took from elsewhere has its licence beside it.
while IFS=$tab read -r module root folder; do
	while :; do
		for file in "$folder"/LICEN[CS]E* "$folder"/COPYING* "$folder"/NOTICE*; do
			[ ! -f "$file" ] || printf '%s\t%s\n' "$module ${file#"$root"/}" "$file"
		done
		[ "$folder" != "$root" ] || break
		folder=$(dirname "$folder")
	done
done <"$tmp/packages" >"$tmp/found"
sort -u -o "$tmp/texts" "$tmp/found"

cut -f 1 "$tmp/packages" | uniq | while read -r module; do
	if ! grep -qF "$module " "$tmp/texts"; then
		echo "licences.sh: $module has no licence text" >&2
		exit 1
	fi
done

text() {
	printf '\n%s\n%s\n%s\n\n' "$rule" "$1" "$rule"
	cat "$2"
}
rule=================================================================================
echo "cloudsso_exporter contains the following software."
text "Go $(go env GOVERSION | sed 's/^go//')" "$(go env GOROOT)/LICENSE"
while IFS=$tab read -r name file; do text "$name" "$file"; done <"$tmp/texts"
