# A static binary on an empty image: no shell, no package manager, no root.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN make build VERSION="$VERSION" && install -d -o 65534 -g 65534 /state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/cloudsso_exporter /cloudsso_exporter
COPY --from=build --chown=65534:65534 /state /var/lib/cloudsso_exporter
USER 65534:65534
VOLUME /var/lib/cloudsso_exporter
EXPOSE 10066
ENV CLOUDSSO_EXPORTER_STORAGE_PATH=/var/lib/cloudsso_exporter
ENTRYPOINT ["/cloudsso_exporter"]
