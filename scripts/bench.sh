#!/bin/sh
# Measures the program and prints one table; what the benchmarks say themselves
# goes to stderr. Exits with 1 when something is over its bound or not measured.
set -u
cd "$(dirname "$0")/.." || exit
said=$(mktemp)
trap 'rm -f "$said"' EXIT

bench() { # package, pattern, benchtime
	go test -run '^$' -bench "$2" -benchtime "$3" -timeout 10m "./$1" 2>&1 | tee -a "$said" >&2
}
bench apiclient 'SignedCall' 1000x
bench apiclient 'FirstRead' 2x
bench internal/server 'CachedScrape/directories=1$' 1000x
bench internal/server 'CachedScrape/directories=200$' 100x
bench internal/refresh 'SteadyRefresh' 3x
bench internal/ledger 'HeapPerTask|LeavingTogether' 1x
bench internal/command 'Straggler|FirstRead100k|DecodeAndApply|Growth|Scale|Backfill' 1x
bench . 'MemoryLimit' 1x
# Hours of simulated time are counted by tests.
FIRST_READ_CALLS=5000 go test -count=1 -run 'TestOutageIsCheap|TestSixTasksRunningForDays|TestFirstReadIsBound' -v ./internal/command 2>&1 | tee -a "$said" >&2

awk '
# Figures are pairs of a value and a unit, behind the name of a benchmark and how often it ran.
/^Benchmark/ {
	sub(/-[0-9]+$/, "", $1)
	for (i = 3; i < NF; i += 2) figure[$1 " " $(i+1)] = $i
}
/ calls, and [0-9]+ for drift/ { figure["SixTasks calls"] = $2 }
/: [0-9]+ calls$/              { if ($(NF-1) > figure["Outage calls"] + 0) figure["Outage calls"] = $(NF-1) }
/a second: took/               { figure["FirstRead/" $2 " bound"] = $7 }
/^--- FAIL|^FAIL/              { failed = 1 }
/^--- FAIL: TestOutage/        { outage = "no" }

function row(measure, found, bound,   ok) {
	if (found == "") ok = "NO"
	else if (bound != "") ok = found + 0 <= bound + 0 ? "yes" : "NO"
	if (ok == "NO") failed = 1
	printf "| %-82s | %8s | %7s | %-3s |\n", measure, found, bound, ok
}
function has(name, unit) { return figure["Benchmark" name " " unit] }
function short(n) { return n == "" ? "" : sprintf(n >= 100 ? "%.0f" : "%.2f", n) }

END {
	print ""
	heading("measure", "measured", "at most", "ok")
	heading(line(82), line(7) ":", line(6) ":", "---")
	row("cached scrape, 1 directory / the same series from a static registry", short(has("CachedScrape/directories=1", "×floor")), 1.5)
	row("cached scrape, 200 directories / the same", short(has("CachedScrape/directories=200", "×floor")), 0.5)
	row("one signed call with a page of 20 tasks, allocations", short(has("SignedCall", "allocs/call")), 600)
	row("first read of 10,000 tasks / 500 bare calls of the same latency", short(has("FirstRead", "x-floor")), 1.2)
	row("first read of 100,000 tasks / 5,000 bare calls of the same latency", short(has("FirstRead100k/latency", "×bound")), 1.2)
	row("first read of 100,000 tasks / what 500 calls a second allow", short(has("FirstRead100k/rate", "×bound")), 1.2)
	row("first read of 100,000 tasks / the same, 5 calls a second, simulated time", short(figure["FirstRead/5 bound"]), 1.2)
	row("first read of 100,000 tasks / 5,000 calls of 20 ms, simulated time", short(figure["FirstRead/1000 bound"]), 1.2)
	n = split("1,000 10,000 100,000 1,000,000", sizes, " ")
	for (i = 1; i <= n; i++) {
		tasks = sizes[i]
		gsub(",", "", tasks)
		row("calls of a steady refresh, 3 new tasks, window of " sizes[i], short(has("Scale/1x" tasks, "calls/refresh")), 1)
	}
	row("calls more when a task ends that ran for 3 days", short(has("Straggler", "calls-more")), 1)
	row("calls of 12 steady refreshes, window of 10,000, 6 tasks running for days", figure["SixTasks calls"], 48)
	row("calls in an hour of outage of the costliest kind, 10 directories", figure["Outage calls"], outage == "" ? 700 : -1)
	row("CPU of a steady refresh, window of 1,000,000 / of 10,000", short(has("SteadyRefresh", "ratio-1M-10k")), 1.5)
	row("CPU of a steady refresh, window of 1,000,000, milliseconds", short(has("SteadyRefresh", "ms/refresh-1000000")), 5)
	row("decoding and applying a page, window of 1,000,000 / of 10,000", short(has("DecodeAndApply", "×10k")), 1.5)
	row("taking in a page while 2,000 failures of one second leave a window / at other times", short(has("LeavingTogether", "ratio")), 1.5)
	row("bytes written by a refresh with 3 new tasks", short(has("Scale/1x10000", "B-written/refresh")), 2000)
	row("syncs to disk by a refresh with 3 new tasks", short(has("Scale/1x10000", "fsyncs/refresh")), 1)
	row("bytes written by a refresh with nothing new", short(has("Scale/1x10000", "B-written/idle-refresh")), "0")
	row("heap per finished task, 1,000,000 tasks of a company, bytes", short(has("HeapPerTask/usual", "B/task")), 250)
	row("the same, 5 % failed, each with a text of 512 bytes of its own", short(has("HeapPerTask/long-texts", "B/task")), 300)
	row("scrape that refreshes / cached scrape, 1 directory of 5,000 tasks", short(has("Scale/1x5000", "×cached")), 1.5)
	row("first read and commit, 200,000 tasks: heap at its height / after", short(has("Scale/1x200000", "×after")), 1.3)
	row("first read and commit, 200 directories × 5,000: heap at its height / after", short(has("Scale/200x5000", "×after")), 1.3)
	row("500,000 tasks with the memory of deploy/kubernetes: resident at its height, MiB", short(has("MemoryLimit", "MiB-first-read")), 256)
	row("the same, after a restart, MiB", short(has("MemoryLimit", "MiB-restart")), 256)
	row("start with 1,000,000 tasks: until it listens, s", short(has("Scale/1x1000000", "s/listening")), 0.1)
	row("start with 1,000,000 tasks: until the first scrape is answered, s", short(has("Scale/1x1000000", "s/first-scrape")), 4)
	row("start with 200 directories × 5,000: until the first scrape is answered, s", short(has("Scale/200x5000", "s/first-scrape")), 3)
	row("10,000 refreshes: heap after / before", short(has("Growth", "×heap")), 1.1)
	row("10,000 refreshes: goroutines more", short(has("Growth", "goroutines-more")), "0")
	row("10,000 refreshes: state folder after / before, which grows by doubling", short(has("Growth", "×file")), 2)
	m = split("1x1000000 200x5000", scales, " ")
	split("1 directory × 1,000,000 tasks|200 directories × 5,000 tasks", names, "|")
	for (i = 1; i <= m; i++) {
		row(names[i] ": first read, s", short(has("Scale/" scales[i], "s/first-read")))
		row(names[i] ": heap in use after it, MB", short(has("Scale/" scales[i], "MB-after")), 300)
		row(names[i] ": heap in use at its height, MB", short(has("Scale/" scales[i], "MB-at-most")))
		row(names[i] ": cached scrape, median, ms", short(has("Scale/" scales[i], "ms/cached-scrape")))
		row(names[i] ": scrape that refreshes all, median, ms", short(has("Scale/" scales[i], "ms/refreshing-scrape")))
	}
	for (i = 2; i <= 3; i++) {
		tasks = sizes[i]
		gsub(",", "", tasks)
		row("backfill of " sizes[i] " tasks at a step of 1 minute, s", short(has("Backfill/tasks=" tasks, "s/week")))
		row("backfill of " sizes[i] " tasks: heap in use at its height, MB", short(has("Backfill/tasks=" tasks, "MB-at-most")))
		row("backfill of " sizes[i] " tasks: text written, MB", short(has("Backfill/tasks=" tasks, "MB-written")))
	}
	exit failed
}
function heading(a, b, c, d) { printf "| %-82s | %8s | %7s | %-3s |\n", a, b, c, d }
function line(n,   s) { while (n-- > 0) s = s "-"; return s }
' "$said"
