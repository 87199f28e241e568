#!/bin/sh
# Builds what the tests run into bin/: prometheus, promtool, alertmanager, amtool, victoria-metrics, vmalert. A program that
# is there in the version that go.mod pins stays as it is; from cold caches all of them take about six minutes.
#
#   build.sh            all of them
#   build.sh promtool   only those named
set -eu
cd "$(dirname "$0")"
mkdir -p bin

[ $# -gt 0 ] || set -- prometheus promtool alertmanager amtool victoria-metrics vmalert
for name; do
	case $name in
	# remove_all_sd leaves out the service discoveries and their cloud SDKs: static configs are all the tests need.
	prometheus | promtool) dir=. module=github.com/prometheus/prometheus main=cmd tags=remove_all_sd ;;
	# Modules of their own: their dependencies and those of Prometheus exclude each other.
	alertmanager | amtool) dir=alertmanager module=github.com/prometheus/alertmanager main=cmd tags= ;;
	victoria-metrics | vmalert) dir=victoriametrics module=github.com/VictoriaMetrics/VictoriaMetrics main=app tags= ;;
	*) echo "build.sh: $name is none of prometheus, promtool, alertmanager, amtool, victoria-metrics, vmalert" >&2 && exit 2 ;;
	esac
	wanted=$(awk -v m="$module" '{ for (i = 1; i < NF; i++) if ($i == m) print $(i + 1) }' "$dir/go.mod")
	built=$(go version -m "bin/$name" 2>/dev/null | awk '$1 == "mod" { print $3 }' || true)
	if [ "$built" = "$wanted" ]; then continue; fi
	echo "building $name $wanted (from cold caches: minutes)" >&2
	out=$PWD/bin/$name
	(cd "$dir" && go build -tags "$tags" -trimpath -ldflags='-s -w' -o "$out.new" "$module/$main/$name")
	mv "$out.new" "$out" # at once: a build that was cut off leaves nothing that looks finished
done
