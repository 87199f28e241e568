# A static binary on an empty image: no shell, no package manager, no root.
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t cloudsso_exporter .
#
# To pin the base: --build-arg BASE=golang:1.26@sha256:...
ARG BASE=golang:1.26
FROM --platform=$BUILDPLATFORM $BASE AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION REVISION TARGETOS TARGETARCH
RUN ./scripts/licences.sh >third-party-licences.txt \
 && GOOS=$TARGETOS GOARCH=$TARGETARCH make build ${VERSION:+VERSION="$VERSION"} ${REVISION:+REVISION="$REVISION"} \
 && mkdir /state

FROM scratch
ARG VERSION REVISION
LABEL org.opencontainers.image.title=cloudsso_exporter org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.version=$VERSION org.opencontainers.image.revision=$REVISION
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/LICENSE /src/third-party-licences.txt /licences/
COPY --from=build /src/bin/cloudsso_exporter /cloudsso_exporter
# A volume on this folder keeps the state. A new one takes its owner from here.
COPY --from=build --chown=65534:65534 /state /var/lib/cloudsso_exporter
USER 65534:65534
EXPOSE 10066
ENTRYPOINT ["/cloudsso_exporter"]
