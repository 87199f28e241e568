#!/bin/sh
# Runs every fuzz target for the given time each (default 10s). A finding is
# written to the package's testdata/fuzz and makes the run fail.
set -eu
cd "$(dirname "$0")/.."
time=${1:-10s}
grep -rlE --include='*_test.go' '^func Fuzz' . | grep -v '^./e2e/' | sort | while read -r file; do
	for target in $(grep -oE '^func Fuzz[A-Za-z0-9_]*' "$file" | cut -d' ' -f2); do
		echo "fuzz $(dirname "$file") $target $time"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x "$(dirname "$file")"
	done
done
