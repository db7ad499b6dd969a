# greenlight in an image with nothing else: one static binary, not run as root. `./build-image` makes the binary and
# what else the image has, and builds this around it:
#
#   ./build-image greenlight
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

FROM scratch
COPY --chown=65532:65532 image /
USER 65532:65532
STOPSIGNAL SIGTERM
VOLUME /var/lib/greenlight
EXPOSE 80 443
# Where the admin API is on another address, or has a token: GREENLIGHT_ADMIN, GREENLIGHT_TOKEN_FILE.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/greenlight", "health"]
ENTRYPOINT ["/greenlight"]
CMD ["run"]
