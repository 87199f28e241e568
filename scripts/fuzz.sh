#!/bin/sh
# Runs every fuzz target for the given number of inputs each (default 50000), and
# one random history of a window for each hundred of them. A finding is written to
# the package's testdata/fuzz and makes the run fail.
# A number and not a time: before Go 1.27 the end of a time may race the workers
# and fail the run with no finding (go.dev/issue/75804).
set -eu
cd "$(dirname "$0")/.."
inputs=${1:-50000}
grep -rlE --include='*_test.go' '^func Fuzz' . | grep -v '^./e2e/' | sort | while read -r file; do
	for target in $(grep -oE '^func Fuzz[A-Za-z0-9_]*' "$file" | cut -d' ' -f2); do
		echo "fuzz $(dirname "$file") $target $inputs inputs"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${inputs}x" -fuzzminimizetime 20x "$(dirname "$file")"
	done
done
echo "$((inputs / 100)) histories of a window"
go test -run '^TestAgainstModel$' -timeout 1h ./internal/ledger -histories $((inputs / 100))
