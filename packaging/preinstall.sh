#!/bin/sh
# Before a package is unpacked: the user and the group that own its files.
set -e
getent group cloudsso_exporter >/dev/null || groupadd --system cloudsso_exporter
getent passwd cloudsso_exporter >/dev/null || useradd --system --gid cloudsso_exporter --no-create-home \
	--home-dir /var/lib/cloudsso_exporter --shell /usr/sbin/nologin --comment "CloudSSO exporter" cloudsso_exporter
