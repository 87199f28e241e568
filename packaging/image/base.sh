#!/usr/bin/env bash
# Makes a stand-in for the golang image that the Dockerfile is built on, from this machine's Go, for where no registry can be reached. It has
# what the Dockerfile uses of the real one: Go in /usr/local/go, a shell with its tools, make, and the certificates.
#
#   base.sh docker.io/library/golang:1.26
set -euo pipefail
name=$1

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,usr/bin,usr/local,etc/ssl/certs,tmp,root,go}
cp "$(command -v busybox)" "$root/bin/busybox"
for tool in $("$root/bin/busybox" --list | grep -vx busybox); do ln -s busybox "$root/bin/$tool"; done
cp "$(command -v make)" "$root/usr/bin/make"
ldd "$(command -v make)" | grep -o '/[^ ]*' | while read -r library; do cp -L --parents "$library" "$root"; done
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp /etc/resolv.conf "$root/etc/"
echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
cp -a "$(go env GOROOT)" "$root/usr/local/go"
rm -rf "$root"/usr/local/go/{test,doc,api}

container=$(buildah from scratch)
buildah add --quiet "$container" "$root" / >/dev/null
buildah config --env PATH=/go/bin:/usr/local/go/bin:/usr/bin:/bin --env GOPATH=/go --env GOTOOLCHAIN=local --workingdir /go "$container"
buildah commit --quiet --rm "$container" "$name" >/dev/null
