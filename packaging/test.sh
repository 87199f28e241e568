#!/usr/bin/env bash
# What an operator does with what `make dist` builds, on this machine, which has to be Debian or Ubuntu, as root: builds it twice, looks
# into archives and the RPM, then installs, configures, runs, upgrades, removes and purges the Debian package against a simulated CloudSSO.
# Where systemd does not run, the command of the unit is run by hand, as the unit's user.
set -euo pipefail
cd "$(dirname "$0")/.."

port=${PACKAGES_PORT:-18070}
unit=/usr/lib/systemd/system/cloudsso_exporter.service
config=/etc/cloudsso_exporter/config.yaml
state=/var/lib/cloudsso_exporter
credentials=/run/credentials/cloudsso_exporter.service
work=$(mktemp -d)

step() { printf -- '-- %s\n' "$1"; }
fail() { printf 'packages: %s\n' "$*" >&2; exit 1; }
is() { [ "$2" = "$3" ] || fail "$1 is '$2', and should be '$3'"; } # what, found, wanted
has() { grep -qE -- "$2" <<<"$1" || fail "there should be $2 in:"$'\n'"$1"; } # text, pattern
access() { stat -c '%a %U:%G' "$1"; }

[ "$(id -u)" = 0 ] || fail "installs a package: run it as root"
for path in /etc/cloudsso_exporter $state $credentials $unit; do
	[ ! -e $path ] || fail "$path is there already: purge the package that is installed here first"
done
! getent passwd cloudsso_exporter >/dev/null || fail "there is a user cloudsso_exporter already"
! curl -s "http://127.0.0.1:$port/" >/dev/null || fail "port $port is taken: set PACKAGES_PORT"
cleanup() {
	set +e
	for pid in ${exporter:-} ${simulator:-}; do
		kill -9 "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	dpkg -P cloudsso-exporter >/dev/null 2>&1
	if getent passwd cloudsso_exporter >/dev/null; then userdel cloudsso_exporter; fi
	rm -rf "$work" $credentials /etc/cloudsso_exporter $state
	rmdir "$(dirname $credentials)" 2>/dev/null
}
trap cleanup EXIT

need() { command -v "$1" >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$2" >/dev/null; }; }
need rpm rpm
need unzip unzip
need systemd-analyze systemd

# copy makes a repository of what is here, committed or not, at a path and with a history of its own, and tags it 0.1.0.
copy() {
	mkdir -p "$1"
	git ls-files -coz --exclude-standard | tar --null --ignore-failed-read -T - -c 2>/dev/null | tar -x -C "$1"
	ln -s "$PWD/.bin" "$1/.bin"
	git -C "$1" init -q -b main
	git -C "$1" remote add origin https://example.com/cloudsso_exporter
	echo /.bin >>"$1/.git/info/exclude"
	git -C "$1" add -A
	commit "$1" "A release" 2026-11-30T08:00:00Z
	git -C "$1" tag v0.1.0
}
commit() { # repository, title, time
	GIT_AUTHOR_DATE=$3 GIT_COMMITTER_DATE=$3 git -C "$1" -c user.name=packages -c user.email=packages@example.com \
		commit -q --allow-empty -m "$2"
}
dist() { make -s -C "$1" dist >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "make dist"; }; }

step "two runs, at two paths, give equal bytes"
mkdir -p .bin
copy "$work/one"
copy "$work/another/place"
dist "$work/one"
dist "$work/another/place"
diff "$work/one/dist/checksums.txt" "$work/another/place/dist/checksums.txt" || fail "two builds of one commit differ"
release=$work/release
mv "$work/one/dist" "$release"
(cd "$release" && sha256sum --quiet -c checksums.txt)
(cd "$release" && ls -l --block-size=K ./*0.1.0* | awk '{print $5, $9}')
is "the number of files with a checksum" "$(wc -l <"$release/checksums.txt")" 12
for binary in "$release"/*/cloudsso_exporter*; do
	has "$(go version -m "$binary")" $'\tmod\tcloudsso_exporter\tv0.1.0'
done

step "archives"
for archive in "$release"/*.tar.gz "$release"/*.zip; do
	case $archive in
	*.zip) list=$(unzip -Z1 "$archive") ;;
	*) list=$(tar -tzf "$archive") ;;
	esac
	for file in 'cloudsso_exporter(\.exe)?' LICENSE README.md config.example.yaml alerts/cloudsso.rules.yml \
		dashboards/cloudsso-overview.json third-party-licences.txt; do
		has "$list" "^cloudsso_exporter_0.1.0_[a-z0-9_]+/$file\$"
	done
done
tar -xzf "$release/cloudsso_exporter_0.1.0_linux_amd64.tar.gz" -C "$work"
has "$("$work/cloudsso_exporter_0.1.0_linux_amd64/cloudsso_exporter" --version)" 'version=0\.1\.0, .*revision=[0-9a-f]{40}'
has "$(cat "$release/cloudsso_exporter_0.1.0_linux_amd64.cdx.json")" '"purl": "pkg:golang/github.com/prometheus/client_golang@v'

step "the RPM's files and scripts"
for rpm in "$release"/*.rpm; do rpm -qp --qf '%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{BUILDHOST} %{LICENSE}\n' "$rpm"; done
rpm=$(echo "$release"/*x86_64.rpm)
rpm -qp --scripts "$rpm"
list=$(rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]' "$rpm")
printf '%s\n' "$list"
has "$list" "^-rwxr-xr-x root:root /usr/bin/cloudsso_exporter\$"
has "$list" "^-rw-r----- root:cloudsso_exporter $config\$"
has "$list" "^drwxr-x--- cloudsso_exporter:cloudsso_exporter $state\$"
has "$list" " $unit\$"
is "the RPM's configuration files" "$(rpm -qcp "$rpm" | sort | xargs)" "/etc/cloudsso_exporter/config.yaml /etc/default/cloudsso_exporter"

step "the Debian package, installed"
deb=$release/cloudsso-exporter_0.1.0_amd64.deb
dpkg-deb --info "$deb"
has "$(dpkg -i "$deb" 2>&1)" 'does not run yet: describe your directories in /etc'
is "access to $config" "$(access $config)" "640 root:cloudsso_exporter"
is "access to its folder" "$(access /etc/cloudsso_exporter)" "750 root:cloudsso_exporter"
is "access to $state" "$(access $state)" "750 cloudsso_exporter:cloudsso_exporter"
systemd-analyze verify $unit
systemd-analyze security --offline=true --threshold=20 $unit | tail -1

# run becomes what the unit runs: its environment, its user without privileges, its command line.
run() {
	set -a
	eval "$(sed -n 's/^Environment=//p' $unit)"
	. /etc/default/cloudsso_exporter
	umask "$(sed -n 's/^UMask=//p' $unit)"
	eval "exec setpriv --reuid=cloudsso_exporter --regid=cloudsso_exporter --clear-groups --no-new-privs --bounding-set=-all \
		--inh-caps=-all ${1:-} $(sed -n 's/^ExecStart=//p' $unit)"
}
start() {
	run "$@" >"$work/log" 2>&1 &
	exporter=$!
	for _ in $(seq 60); do
		if curl -sf "http://127.0.0.1:$port/-/ready" >/dev/null; then return; fi
		kill -0 $exporter 2>/dev/null || break
		sleep 0.5
	done
	cat "$work/log" >&2
	fail "the exporter does not run"
}
stop() {
	kill $exporter
	wait $exporter || fail "the exporter ended with $?"
	exporter=
}
metrics() { curl -sf "http://127.0.0.1:$port/metrics"; }
started() { metrics | awk '/^cloudsso_tasks_started_total/ { n += $2 } END { print n + 0 }'; }
refuses() { # pattern: ends with 1, which the unit takes for the last word, and says why
	code=0
	said=$(run 2>&1) || code=$?
	is "the exit code" $code 1
	has "$said" "$1"
	printf '%s\n' "$said"
	has "$(cat $unit)" '^RestartPreventExitStatus=1 2$'
}
step "as it is installed nothing runs, and the journal says why"
refuses 'config\.yaml:1: is empty; write at least one entry under directories'

step "configured and run against the simulator"
go build -o "$work/simulator" ./packaging/simulator
"$work/simulator" 127.0.0.1:0 >"$work/directories" &
simulator=$!
for _ in $(seq 50); do [ ! -s "$work/directories" ] || break; sleep 0.1; done
install -d -m 700 -o cloudsso_exporter $credentials # as LoadCredential= has it
printf packages-secret | install -m 400 -o cloudsso_exporter /dev/stdin $credentials/access-key-secret
sed "s#access_key_secret: packages-secret#access_key_secret_file: $credentials/access-key-secret#; 1i cache_ttl: 0s" "$work/directories" >$config
sed -i "s#^ARGS=.*#ARGS=\"--web.listen-address=127.0.0.1:$port\"#" /etc/default/cloudsso_exporter
start
is "the user it runs as" "$(stat -c %U /proc/$exporter)" cloudsso_exporter
has "$(metrics)" '^cloudsso_exporter_build_info\{.*version="0\.1\.0"'
is "the number of directories that are up" "$(metrics | grep -c '^cloudsso_up{.*} 1$')" 2
before=0
for _ in $(seq 60); do before=$(started); [ "$before" -eq 0 ] || break; sleep 1; done
[ "$before" -gt 0 ] || fail "no task started within a minute"

step "a reload of a broken file changes nothing, the next one heals it"
cp -p $config "$work/config"
echo 'directorys: []' >>$config
kill -HUP $exporter
for _ in $(seq 50); do metrics | grep -q '^cloudsso_exporter_config_last_reload_successful 0$' && break; sleep 0.1; done
has "$(metrics)" '^cloudsso_exporter_config_last_reload_successful 0$'
cp -p "$work/config" $config
kill -HUP $exporter
for _ in $(seq 50); do metrics | grep -q '^cloudsso_exporter_config_last_reload_successful 1$' && break; sleep 0.1; done
has "$(metrics)" '^cloudsso_exporter_config_last_reload_successful 1$'
before=$(started)
stop

step "upgraded to a build without a tag: configuration and state are kept"
kept() { sha256sum $config /etc/default/cloudsso_exporter $state/*; access $config; access $state; }
was=$(kept)
commit "$work/one" "After the release" 2026-12-01T08:00:00Z
dist "$work/one"
dpkg -i "$work"/one/dist/cloudsso-exporter_*_amd64.deb
is "what is kept" "$(kept)" "$was"
start
has "$(metrics)" '^cloudsso_exporter_build_info\{.*version="0\.1\.1-snapshot\.[0-9]+\.[0-9a-f]+"'
[ "$(started)" -ge "$before" ] || fail "the counters began anew"
stop

step "socket activation"
sed -i "s#^ARGS=.*#ARGS=--web.systemd-socket#" /etc/default/cloudsso_exporter
start "systemd-socket-activate -l 127.0.0.1:$port -E CLOUDSSO_EXPORTER_CONFIG_FILE -E CLOUDSSO_EXPORTER_STORAGE_PATH"
stop

step "removed: configuration and state are kept"
dpkg -r cloudsso-exporter
[ ! -e /usr/bin/cloudsso_exporter ] && [ ! -e $unit ] || fail "the removed package left its program"
is "access to $config" "$(access $config)" "640 root:cloudsso_exporter"
[ -n "$(ls $state)" ] || fail "the state has gone with the package"

step "installed over a broken configuration nothing runs, and the journal says why"
sed -i 's/region:/regoin:/' $config
has "$(dpkg -i "$deb" 2>&1)" 'does not run yet'
refuses 'config\.yaml:3: directories\[0\]\.regoin: '

step "purged: nothing is left but the user"
dpkg -P cloudsso-exporter
for path in /etc/cloudsso_exporter /etc/default/cloudsso_exporter $state $unit /usr/share/doc/cloudsso-exporter; do
	[ ! -e $path ] || fail "$path is left"
done
echo "packages: all as it should be"
