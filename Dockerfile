# One static binary in an empty image.
#
#   docker build -t greenlight .
#   docker run --network host -v /etc/greenlight:/etc/greenlight:ro -v greenlight:/var/lib/greenlight greenlight
#
# `--network host`: a front door that binds the host's ports sees clients' addresses, and reaches
# upstreams on the host's loopback. The volume keeps what is active over a restart of the container.
# SIGTERM drains (30 s by default): give `docker stop -t 40`.

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
COPY --from=build /image /
# Root, for ports under 1024 and for reading certificates; `--user 65532 --cap-add NET_BIND_SERVICE`
# with a volume of that user is the other way.
STOPSIGNAL SIGTERM
VOLUME /var/lib/greenlight
EXPOSE 80
ENTRYPOINT ["/greenlight"]
CMD ["run"]
