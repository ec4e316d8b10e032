# The image holds the static binary, root certificates, an empty /data and an
# empty /tmp, and runs as a user without a name or rights.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# With .git, so that the binary knows its version.
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /flaghook ./cmd/flaghook
RUN mkdir /empty

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /flaghook /flaghook
COPY --from=build --chown=65532:65532 /empty /data
COPY --from=build --chown=65532:65532 /empty /tmp
USER 65532:65532
# Inside a container its own loopback reaches nobody: listen on all addresses,
# and publish the ops port only to those who watch.
ENV FLAGHOOK_ADDR=0.0.0.0:8480 \
    FLAGHOOK_OPS_ADDR=0.0.0.0:8481 \
    FLAGHOOK_DATA=/data
VOLUME /data
EXPOSE 8480 8481
ENTRYPOINT ["/flaghook"]
CMD ["serve"]
