# An image with greenlight and nothing else. The binary is static and does not run as root. `./build-image`
# makes the binary and the other files of the image, and builds the image from them:
#
#   ./build-image greenlight
#   docker network create front
#   docker run -d --name greenlight --network front -p 80:80 \
#     --group-add "$(stat -c %g /var/run/docker.sock)" -v /var/run/docker.sock:/var/run/docker.sock \
#     -v /etc/greenlight:/etc/greenlight:ro -v greenlight:/var/lib/greenlight --stop-timeout 40 greenlight
#
# Put the containers of the services into the same network, with network = "front" in
# [services.NAME.upstream]. The volume holds the store, so the active color survives a restart. At SIGTERM
# greenlight drains for up to 30 s by default, so --stop-timeout is longer than that. The admin API listens on
# the loopback of the container: `docker exec greenlight /greenlight status`.
#
# With `--network host` greenlight sees the addresses of the clients and reaches upstreams on the loopback of
# the host. Ports under 1024 then need `--user 0` or net.ipv4.ip_unprivileged_port_start.

FROM scratch
COPY --chown=65532:65532 image /
USER 65532:65532
STOPSIGNAL SIGTERM
VOLUME /var/lib/greenlight
EXPOSE 80 443
# If the admin API has another address or a token, set GREENLIGHT_ADMIN and GREENLIGHT_TOKEN_FILE.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/greenlight", "health"]
ENTRYPOINT ["/greenlight"]
CMD ["run"]
