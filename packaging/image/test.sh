#!/usr/bin/env bash
# Builds the image of the Dockerfile with buildah, for two platforms, and runs it with runc as a cluster would: not as root, on a root that is
# read-only, its state on a volume. Needs root, Go and Debian; no registry.
set -euo pipefail
cd "$(dirname "$0")/../.."
packages=(buildah runc busybox-static curl make)
dpkg -s "${packages[@]}" >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; }

work=$(mktemp -d)
buildah() { command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }
runc() { command runc --root "$work/runc" "$@"; }
clean() {
	runc delete --force exporter 2>/dev/null || true
	[ -z "${demo:-}" ] || kill "$demo" 2>/dev/null || true
	buildah umount --all >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap clean EXIT
fail() {
	echo "image test: $1" >&2
	tail -n 20 "$work"/*.log >&2 || true
	exit 1
}

version=v0.0.0-test
export -f buildah && export work
packaging/image/base.sh docker.io/library/golang:1.26
mkdir -p "$(go env GOMODCACHE)" "$(go env GOCACHE)"
buildah bud --quiet --isolation chroot --pull-never --platform linux/amd64,linux/arm64 --manifest cloudsso_exporter --build-arg BUILDPLATFORM=linux/amd64 \
	--build-arg VERSION=$version --build-arg REVISION="$(git rev-parse HEAD)" \
	--volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/root/.cache/go-build" . >"$work/build.log" 2>&1 || fail "the build fails"

# What is in it.
for arch in amd64 arm64; do
	container=$(buildah from --pull-never --arch "$arch" --name "$arch" cloudsso_exporter)
	root=$(buildah mount "$container")
	go version -m "$root/cloudsso_exporter" | grep -q "GOARCH=$arch" || fail "the image for $arch has another binary"
done
root=$(buildah mount amd64)
inspect() { buildah inspect --format "{{range .OCIv1.Config.$1}}{{.}}{{end}}" amd64; }
user=$(buildah inspect --format '{{.OCIv1.Config.User}}' amd64)
[ "$user" = 65534:65534 ] || fail "runs as $user"
[ "$(inspect Entrypoint)" = /cloudsso_exporter ] || fail "begins with $(inspect Entrypoint)"
"$root/cloudsso_exporter" --version | grep -q "version=$version.*revision=[0-9a-f]\{40\}" || fail "does not know its version"
! ldd "$root/cloudsso_exporter" 2>/dev/null | grep -q '=>' || fail "the binary is not static"
for module in 'Go 1' github.com/aliyun/credentials-go github.com/prometheus/client_golang; do
	grep -q "^$module" "$root/licences/third-party-licences.txt" || fail "no licence of $module"
done
grep -q 'Apache License' "$root/licences/LICENSE" || fail "no licence of its own"
[ -z "$(find "$root" -perm /6000 -o -name sh -o -name busybox)" ] || fail "more in it than it needs"
size=$(du -sk "$root" | cut -f 1)
[ "$size" -lt 40960 ] || fail "$size KiB"
echo "image: $((size / 1024)) MiB, static, uid 65534, amd64 and arm64"

# An API to read: the one that the demo simulates.
"$root/cloudsso_exporter" demo --speed=50 --web.listen-address=127.0.0.1:18067 >"$work/demo.log" 2>&1 &
demo=$!
for _ in $(seq 100); do
	[ "$(grep -c ' endpoint=http' "$work/demo.log")" -lt 2 ] || break
	sleep 0.1
done
mkdir "$work/state"
chown 65534:65534 "$work/state"
{
	echo 'cache_ttl: 0s'
	echo 'new_series_hold: 0s'
	echo 'api: {rate_limit: 100, burst: 100}'
	echo 'directories:'
	sed -n 's/.* directory_id=\([^ ]*\) .*region=\([^ ]*\) endpoint=\([^ ]*\) .*/  - {directory_id: \1, region: \2, endpoint: "\3", credential: {type: access_key, access_key_id: LTAIdemo1, access_key_secret: demo-secret-1}}/p' "$work/demo.log"
} >"$work/config.yaml"
grep -q 'directory_id: d-' "$work/config.yaml" || fail "the log of the demo does not say where its API is"

# start MOUNT FLAG...: runs the image; MOUNT is JSON, of volumes.
start() {
	local mount=$1 args
	shift
	args=$(printf ',"%s"' --config.file=/config.yaml --web.listen-address=127.0.0.1:18068 "$@")
	mkdir -p "$work/bundle"
	cat >"$work/bundle/config.json" <<-JSON
		{"ociVersion": "1.0.2", "hostname": "exporter",
		 "process": {"args": ["$(inspect Entrypoint)"$args], "cwd": "/", "env": [],
		  "user": {"uid": ${user%:*}, "gid": ${user#*:}}, "noNewPrivileges": true, "capabilities": {}},
		 "root": {"path": "$root", "readonly": true},
		 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
		  {"destination": "/config.yaml", "type": "bind", "source": "$work/config.yaml", "options": ["bind", "ro"]}$mount],
		 "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]}}
	JSON
	runc run --bundle "$work/bundle" exporter >"$work/exporter.log" 2>&1 &
	for _ in $(seq 300); do
		if curl -sf http://127.0.0.1:18068/-/ready >/dev/null; then return; fi
		sleep 0.1
	done
	fail "the exporter does not get ready"
}
crash() {
	runc kill exporter KILL
	wait %runc 2>/dev/null || true
	runc delete --force exporter 2>/dev/null || true
}
counted() { curl -sf http://127.0.0.1:18068/metrics | awk '/^cloudsso_tasks_started_total/ { sum += $2 } END { print sum + 0 }'; }

start ''
[ "$(curl -sf http://127.0.0.1:18068/metrics | grep -c '^cloudsso_up{.*} 1$')" = 2 ] || fail "not both directories are up"
grep -q 'state is lost' "$work/exporter.log" || fail "does not say that the state is lost without a volume"
crash

volume=', {"destination": "/var/lib/cloudsso_exporter", "type": "bind", "source": "'$work'/state", "options": ["bind", "rw"]}'
start "$volume" --storage.path=/var/lib/cloudsso_exporter
! grep -q 'state is lost' "$work/exporter.log" || fail "says that the state is lost although it has a volume"
pid=$(runc state exporter | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
grep -q '^Uid:[[:space:]]65534[[:space:]]65534' "/proc/$pid/status" || fail "runs as somebody else"
for _ in $(seq 60); do
	before=$(counted)
	[ "$before" -lt 20 ] || break
	sleep 1
done
[ "$before" -ge 20 ] || fail "counted $before tasks in a minute"
crash
start "$volume" --storage.path=/var/lib/cloudsso_exporter
after=$(counted)
[ "$after" -ge "$before" ] || fail "counted $after tasks after kill -9, $before before"
crash
start ''
fresh=$(counted)
[ "$fresh" -lt "$before" ] || fail "counted $fresh tasks without the volume: this test proves nothing"
crash
echo "tasks counted: $before, after kill -9 $after, without the volume $fresh"
