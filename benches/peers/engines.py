"""The engines that are measured. Each has one worker, the same origin behind it, and the same work to do.

The terms are equal. Each engine has one thread or worker. It keeps connections to the client and to the
origin alive, and any client can reuse those to the origin. It writes no logs, adds X-Forwarded-For, and
keeps an idle connection for 75 s.
"""

import json
import os
import shlex
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

START_SECONDS = 20


class Failed(Exception):
    """Something failed that has to work before anything can be measured."""


def free_port(taken=set()):
    """A free loopback port that no earlier call has given away."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in taken:
            taken.add(port)
            return port


def wait_for(what, question, process=None):
    """Asks until the answer is true. Only a failure reaches the deadline."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise Failed(f"{what}: it ended with {process.returncode}")
        if question():
            return
        time.sleep(0.02)
    raise Failed(f"{what}: not within {START_SECONDS} s")


def answers(port, path="/"):
    """Whether a whole 200 comes back through this port."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def process_tree(pid):
    """A process and its children (nginx works in a child)."""
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            pids += process_tree(int(child))
    return pids


class Engine:
    """A child process that listens on `port`, and with TLS on `tls`. It is ended by its pid."""

    def __init__(self, name, command, port, log, env=None, tls=None):
        self.name, self.port, self.tls = name, port, tls
        self.log_path = log
        with open(log, "wb") as sink:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env
            )

    def ready(self):
        try:
            wait_for(self.name, lambda: answers(self.port), self.process)
        except Failed as failure:
            tail = Path(self.log_path).read_text(errors="replace")[-2000:]
            raise Failed(f"{failure}\n{tail}") from None
        return self

    def cpu_seconds(self):
        """User and system time so far in seconds, of all threads (also those that have ended) and of its children."""
        ticks = 0
        for pid in process_tree(self.process.pid):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self):
        """(RSS, PSS) at this moment, in bytes."""
        sums = {"Rss": 0, "Pss": 0}
        for pid in process_tree(self.process.pid):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                key, _, rest = line.partition(":")
                if key in sums:
                    sums[key] += int(rest.split()[0]) * 1024
        return sums["Rss"], sums["Pss"]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                for pid in process_tree(self.process.pid):
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()


class Origin(Engine):
    """The fast origin. It listens on two ports, one for each color."""

    def __init__(self, build, folder):
        self.ports = [free_port(), free_port()]
        command = [f"{build}/examples/peer_origin", *(f"127.0.0.1:{port}" for port in self.ports)]
        super().__init__("origin", command, self.ports[0], folder / "origin.log")


def relay(build, folder, origin):
    port = free_port()
    command = [f"{build}/examples/peer_relay", f"127.0.0.1:{port}", f"127.0.0.1:{origin}"]
    return Engine("relay", command, port, folder / "relay.log")


def certificate(folder):
    """Makes one P-256 certificate for all engines: `tls.pem`, `tls.key`, and both in `tls.both` for HAProxy."""
    made = folder / "tls.pem"
    if not made.exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "30", "-subj", "/CN=bench.example.org", "-addext", "subjectAltName=DNS:bench.example.org",
             "-keyout", str(folder / "tls.key"), "-out", str(made)],
            check=True, capture_output=True,
        )
        (folder / "tls.both").write_text(made.read_text() + (folder / "tls.key").read_text())


HAPROXY = """\
global
    nbthread 1
    maxconn 8000
    stats socket {folder}/haproxy.sock
    ssl-default-bind-ciphersuites TLS_AES_256_GCM_SHA384
defaults
    mode http
    no log
    option forwardfor
    http-reuse always
    timeout connect 2s
    timeout client 75s
    timeout server 30s
    timeout http-keep-alive 75s
    timeout http-request 10s
frontend public
    bind 127.0.0.1:{port}
    bind 127.0.0.1:{tls} ssl crt {folder}/tls.both alpn h2,http/1.1
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin} pool-max-conn 1024 pool-purge-delay 60s
"""


def haproxy(_build, folder, origin):
    port, tls = free_port(), free_port()
    certificate(folder)
    path = folder / "haproxy.cfg"
    path.write_text(HAPROXY.format(folder=folder, port=port, tls=tls, origin=origin))
    command = ["haproxy", "-f", str(path), "-db"]
    return Engine("haproxy", command, port, folder / "haproxy.log", tls=tls)


NGINX = """\
{user}
worker_processes 1;
worker_rlimit_nofile 16384;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log crit;
events {{ worker_connections 8000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 1024;
        keepalive_requests 1000000000;
        keepalive_time 24h;
        keepalive_timeout 60s;
    }}
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls} ssl http2;
        ssl_certificate {folder}/tls.pem;
        ssl_certificate_key {folder}/tls.key;
        ssl_protocols TLSv1.3;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"""


def nginx(_build, folder, origin):
    port, tls = free_port(), free_port()
    certificate(folder)
    path = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # the worker of nginx has to reach the folder
    path.write_text(NGINX.format(user=user, folder=folder, port=port, tls=tls, origin=origin))
    return Engine("nginx", ["nginx", "-p", str(folder), "-c", str(path)], port, folder / "nginx.log", tls=tls)


GREENLIGHT = """\
[runtime]
workers = 1
[[listeners]]
bind = "127.0.0.1:{port}"
[[listeners]]
bind = "127.0.0.1:{tls}"
[listeners.tls]
certificates = [{{ cert = "{folder}/tls.pem", key = "{folder}/tls.key" }}]
[admin]
bind = "127.0.0.1:{admin}"
[store]
path = "{folder}/greenlight-store"
[log]
level = "warn"
[services.bench]
hosts = ["bench.example.org"]
default = true
[services.bench.upstream]
kind = "fixed"
blue = ["127.0.0.1:{blue}"]
green = ["127.0.0.1:{green}"]
[services.bench.health]
interval = "250ms"
timeout = "1s"
rise = 1
min_healthy_time = "500ms"
[services.bench.release]
bake_time = "1h"
[services.bench.proxy]
pool_idle_max = 1024
"""


def greenlight(command, folder, origins):
    """A whole front door. `bake` then brings it into a bake, in which it probes, counts and judges."""
    port, tls, admin = free_port(), free_port(), free_port()
    certificate(folder)
    path = folder / "greenlight.toml"
    text = GREENLIGHT.format(
        folder=folder, port=port, tls=tls, admin=admin, blue=origins[0], green=origins[1]
    )
    path.write_text(text)
    places = {"{config}": path, "{port}": port, "{origin}": origins[0]}
    words = shlex.split(command)
    for place, value in places.items():
        words = [word.replace(place, str(value)) for word in words]
    engine = Engine("greenlight", words, port, folder / "greenlight.log", tls=tls)
    engine.admin = admin
    return engine


def bake(engine):
    """Releases to the second origin and waits for the bake. Returns a sentence that says whether it came."""
    base = f"http://127.0.0.1:{engine.admin}/v1/services/bench"
    try:
        request = urllib.request.Request(
            f"{base}/releases", data=b"{}", headers={"content-type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=5).read()
        state = lambda: json.load(urllib.request.urlopen(base, timeout=5))["state"]
        wait_for("greenlight's release", lambda: state() == "baking", engine.process)
    except (OSError, Failed) as failure:
        return f"no bake, the judge was idle ({failure})"
    return "in a bake: probed, counted and judged"
