#!/bin/sh
# Runs every benchmark of the program and prints one table. A benchmark fails
# where a ratio is over its bound.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
run() { # package, pattern, benchtime
	go test -run '^$' -bench "$2" -benchtime "$3" -timeout 20m "$1" | tee -a "$out" >&2
}
run ./apiclient . 1s
run ./internal/server . 3s
run ./internal/refresh . 1x
run ./internal/window . 1x
run ./internal/store 'Commit|Open' 1s
run ./internal/command . 1x
go test -count=1 -run 'Outage|FirstReadIs|SixTasks' -v ./internal/command | tee -a "$out" >&2

# Figures are "value unit" pairs behind the name of the benchmark.
awk '
function row(measure, bound, figure) { if (figure != "") printf "| %-72s | %-14s | %s |\n", measure, bound, figure }
function has(unit,   i) { for (i = 3; i < NF; i++) if ($(i+1) == unit) return $i; return "" }
BEGIN { row("measure", "bound", "measured"); row("---", "---", "---") }
/^BenchmarkSignedCall/      { row("one signed call, the loopback server included: allocations", "600", has("allocs/call")) }
/^BenchmarkFirstRead/       { row("first read of 10,000 tasks / (calls × latency)", "1.2", has("x-floor")) }
/^BenchmarkCachedScrape/    { n = $1; sub(/.*=/, "", n); sub(/-.*/, "", n)
                              row("cached scrape / the same series from a static registry, directories: " n, n == 1 ? "1.5" : "2 (p99)", has("×floor")) }
/^BenchmarkSteadyRefresh/   { for (n = 1000; n <= 1000000; n *= 10) row("calls of a steady refresh, " n " tasks, drift apart", "3", has("calls/refresh-" n))
                              row("CPU of a steady refresh, 1,000,000 / 10,000 tasks", "1.5", has("ratio-1M-10k")) }
/^BenchmarkHeapPerTask/     { row("heap a finished task, 1,000,000 tasks: bytes", "300", has("B/task")) }
/^BenchmarkPage/            { row("taking in a page, 1,000,000 / 10,000 tasks", "1.5", has("ratio")) }
/^BenchmarkCommit20/        { row("commit of 20 tasks into 100,000 / into 1,000", "3", has("ratio-100k/1k")) }
/^BenchmarkOpenAndLoad/     { row("start with the state of 100,000 tasks: ms", "1000", has("ms-open+load")) }
/^BenchmarkScale/           { name = $1; gsub(/_/, " ", name); sub(/BenchmarkScale\//, "", name); sub(/-[0-9]+$/, "", name)
                              row(name ": first read, s", "", has("s-first-read")); row(name ": heap a task, bytes", "", has("B-of-heap/task")) }
/a second: took/            { sub(/.*go:[0-9]+: /, ""); row("first read of 100,000 tasks, " $1 " calls a second, 20 ms each / bound", "1.2", $6) }
/cost_test.go.*: [0-9]+ calls$/ { sub(/.*go:[0-9]+: /, ""); n = $(NF-1); sub(/: [0-9]+ calls$/, ""); row("calls in an hour of outage (" $0 "), 10 directories", "700", n) }
/calls, and .* for drift/   { sub(/.*go:[0-9]+: /, ""); row("12 refreshes, 10,000 tasks, 6 running for days: calls", "48", $1) }
' "$out"
grep -q '^--- FAIL\|^FAIL' "$out" && exit 1 || exit 0
