# greenlight in an image with nothing else: one static binary, not run as root.
#
#   docker build -t greenlight .
#   docker network create front
#   docker run -d --name greenlight --network front -p 80:80 \
#     --group-add "$(stat -c %g /var/run/docker.sock)" -v /var/run/docker.sock:/var/run/docker.sock \
#     -v /etc/greenlight:/etc/greenlight:ro -v greenlight:/var/lib/greenlight --stop-timeout 40 greenlight
#
# The services' containers go into the same network: network = "front" in [services.NAME.upstream].
# The volume keeps what is active over a restart. SIGTERM drains (30 s by default), hence the timeout.
# The admin API stays on the container's own loopback: `docker exec greenlight /greenlight status`.
#
# With `--network host` a front door sees clients' own addresses and reaches upstreams on the host's
# loopback; ports under 1024 then need `--user 0` or net.ipv4.ip_unprivileged_port_start.

FROM rust:1.95-alpine AS build
RUN apk add --no-cache musl-dev gcc make
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY config config
# The manifest names examples and benches by path: they have to be there, they are not built.
COPY benches benches
COPY tests tests
RUN cargo build --locked --release --bin greenlight \
    && strip target/release/greenlight \
    # Folders that an empty image can't make.
    && mkdir -p /image/etc/greenlight /image/var/lib/greenlight /image/tmp \
    && cp target/release/greenlight /image/greenlight

FROM scratch
COPY --from=build --chown=65532:65532 /image /
USER 65532:65532
STOPSIGNAL SIGTERM
VOLUME /var/lib/greenlight
EXPOSE 80 443
# Where the admin API is on another address, or has a token: GREENLIGHT_ADMIN, GREENLIGHT_TOKEN_FILE.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/greenlight", "health"]
ENTRYPOINT ["/greenlight"]
CMD ["run"]
