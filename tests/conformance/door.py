"""A greenlight in a folder of its own, on free ports, for the scripts here that are written in Python."""

import contextlib
import json
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

PATIENCE = 20

# The beginning of every configuration. The limits are short, for the tests that wait for them.
HEAD = """
[runtime]
workers = 1
[limits]
request_head_timeout = "1s"
body_stall_timeout = "1s"
[[listeners]]
bind = "127.0.0.1:{port}"
[admin]
bind = "127.0.0.1:{admin}"
[store]
path = "{folder}/store"
"""


def service(name, blue, green, more=""):
    """The configuration of a service on NAME.example.org with two ports. `more` holds further lines, with NAME for
    its name."""
    return f"""
[services.{name}]
hosts = ["{name}.example.org"]
[services.{name}.upstream]
kind = "fixed"
blue = ["127.0.0.1:{blue}"]
green = ["127.0.0.1:{green}"]
[services.{name}.health]
kind = "tcp"
rise = 1
min_healthy_time = "0s"
{more.replace("NAME", name)}"""


def silent(connection):
    """The script of an origin that reads and never answers."""
    while connection.recv(65536):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Origin:
    """An HTTP/1.1 origin that serves each connection with script(connection) on a thread of its own."""

    def __init__(self, script):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.script = script
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            self.script(connection)


@contextlib.contextmanager
def greenlight(binary, configuration):
    """Runs `greenlight run`; yields (public port, admin port) once it is ready. `configuration` may use {port},
    {admin} and {folder}."""
    with tempfile.TemporaryDirectory(prefix="greenlight-judge-") as folder:
        port, admin = free_port(), free_port()
        file = Path(folder) / "greenlight.toml"
        text = configuration
        for name, value in {"{port}": port, "{admin}": admin, "{folder}": folder}.items():
            text = text.replace(name, str(value))
        file.write_text(text)
        log = open(Path(folder) / "log", "w+")
        process = subprocess.Popen([binary, "run", "-c", str(file)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            wait_ready(process, admin, log)
            yield port, admin
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_ready(process, admin, log):
    """Asks /readyz until it answers. There is no other sign that the process listens."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            log.seek(0)
            raise SystemExit(f"greenlight ended with {process.returncode}:\n{log.read()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("greenlight was not ready in time")


def exchange(port, raw, to_head=False):
    """Sends bytes and reads one answer. Returns (head, body)."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(raw)
        data = b""
        while b"\r\n\r\n" not in data:
            data += receive(connection, data)
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":", 1)[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if to_head or not lengths:
            return head, b""
        while len(body) < int(lengths[0]):
            body += receive(connection, body)
        return head, body


def receive(connection, before):
    data = connection.recv(65536)
    if not data:
        raise SystemExit(f"the connection ended behind {before!r}")
    return data


def load(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
        return json.load(answer)
