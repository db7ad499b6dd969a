"""Loads each engine in turn with wrk and prints CPU per request, throughput, p99 and the ratios."""

import argparse
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import engines
from engines import Failed

IDLE_CONNECTIONS = 3000



class Load(NamedTuple):
    """The load that wrk makes, and the bars for the CPU of a request as a ratio to HAProxy and the relay."""

    title: str
    path: str
    connections: int
    to_haproxy: float
    to_relay: float = None
    tls: bool = False
    # Whether every request has a connection, and so a handshake, of its own.
    fresh: bool = False
    # With HTTP/2, which h2load loads: the number of streams on each connection at once.
    streams: int = 0


LOADS = [
    Load("64 connections, 128 B", "/", 64, 0.9, 1.3),
    Load("64 connections, 64 KiB", "/64k", 64, 0.9, 1.3),
    Load("1 000 connections, 128 B", "/", 1000, 1.0),
    Load("TLS, 64 connections, 128 B", "/", 64, 0.95, tls=True),
    Load("HTTP/2 over TLS, 8 connections of 16 streams, 128 B", "/", 8, 1.1, tls=True, streams=16),
    Load("TLS, a new connection for each request of 128 B", "/", 64, 0.6, tls=True, fresh=True),
]


def milliseconds(text):
    """wrk's `1.23ms` as milliseconds."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}[unit]


def load_http2(engine, what, duration):
    """One run of h2load. Fails if the run saw an error."""
    with tempfile.NamedTemporaryFile(prefix="greenlight-h2load-") as log:
        before = engine.cpu_seconds()
        command = ["h2load", "-t1", f"-c{what.connections}", f"-m{what.streams}", f"-D{duration}",
                   f"--log-file={log.name}", f"https://127.0.0.1:{engine.tls}{what.path}"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        spent = engine.cpu_seconds() - before
        # The columns are the start, the status, and the microseconds.
        lines = [line.split() for line in Path(log.name).read_text().splitlines()]
    if "h2" not in re.search(r"Application protocol: (\S+)", text).group(1):
        raise Failed(f"{engine.name}, {what.title}: not HTTP/2")
    bad = [line for line in lines if line[1] != "200"]
    trouble = re.search(r" (\d+) failed, (\d+) errored, (\d+) timeout", text)
    # h2load does not count requests as failed that are in flight when the time is over.
    if bad or any(int(count) for count in trouble.groups()):
        raise Failed(f"{engine.name}, {what.title}: {len(bad)} other than 200, {trouble.group()}")
    if len(lines) < what.connections * what.streams or spent <= 0:
        raise Failed(f"{engine.name}: {len(lines)} requests and {spent} s of CPU tell nothing; load for longer")
    times = sorted(int(line[2]) for line in lines)
    return {
        "cpu": spent * 1e6 / len(lines),
        "rate": len(lines) / duration,
        "p99": times[len(times) * 99 // 100] / 1000,
        "requests": len(lines),
    }


def load(engine, what, duration):
    """One run of wrk. Fails if the run saw an error."""
    if what.streams:
        return load_http2(engine, what, duration)
    before = engine.cpu_seconds()
    connections = what.connections
    base = f"https://127.0.0.1:{engine.tls}" if what.tls else f"http://127.0.0.1:{engine.port}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{duration}s", "--timeout", "10s", "--latency"]
    if what.fresh:
        command += ["-H", "Connection: close"]
    command.append(base + what.path)
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    spent = engine.cpu_seconds() - before
    trouble = re.search(r"Socket errors:.*|Non-2xx or 3xx responses:.*", text)
    if trouble:
        raise Failed(f"{engine.name}, {what.title}: {trouble.group()}")
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    if requests < connections or spent <= 0:
        raise Failed(f"{engine.name}: {requests} requests and {spent} s of CPU tell nothing; load for longer")
    return {
        "cpu": spent * 1e6 / requests,
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
        "p99": milliseconds(re.search(r"^\s+99%\s+(\S+)", text, re.MULTILINE).group(1)),
        "requests": requests,
    }


def request_once(port):
    """A connection that has done one request and is kept open."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.sendall(b"GET / HTTP/1.1\r\nHost: bench.example.org\r\n\r\n")
    received = b""
    while b"\r\n\r\n" not in received or len(received) < received.index(b"\r\n\r\n") + 4 + 128:
        chunk = client.recv(65536)
        if not chunk:
            raise Failed("closed in the middle of an answer")
        received += chunk
    if not received.startswith(b"HTTP/1.1 200"):
        raise Failed(received[:80].decode(errors="replace"))
    return client


def still_open(client):
    """Whether the other side has kept the connection: there is nothing to read, and no end of file."""
    client.setblocking(False)
    try:
        client.recv(1)
        return False
    except BlockingIOError:
        return True


def idle_memory(engine):
    """(RSS, PSS) in bytes for each of many idle kept-alive connections."""
    for _ in range(50):
        request_once(engine.port).close()
    before = engine.memory_bytes()
    held = [request_once(engine.port) for _ in range(IDLE_CONNECTIONS)]
    after = engine.memory_bytes()
    open_now = sum(map(still_open, held))
    for client in held:
        client.close()
    if open_now < IDLE_CONNECTIONS:
        raise Failed(f"{engine.name} closed {IDLE_CONNECTIONS - open_now} of {IDLE_CONNECTIONS} idle connections")
    return tuple((b - a) / IDLE_CONNECTIONS for a, b in zip(before, after))


def median(samples, key):
    return statistics.median(sample[key] for sample in samples)


def ratio(samples, peers):
    """The median ratio over all rounds. Each ratio compares runs of the same round. None without a peer."""
    return statistics.median(a["cpu"] / b["cpu"] for a, b in zip(samples, peers)) if peers else None


def shown_ratio(value):
    return "" if value is None else f"{value:.2f}"


def tables(results, names, memory):
    """The markdown, and the ratios by load: {load: {name: (to haproxy, to relay)}}."""
    lines, ratios = [], {}
    for what in LOADS:
        title = what.title
        shown = [name for name in names if (name, title) in results]
        if not shown:
            continue
        lines += [
            f"**{title}**", "",
            "| | CPU us/request | min..max | requests/s | p99 ms | CPU to HAProxy | CPU to the relay |",
            "|---|---|---|---|---|---|---|",
        ]
        cpu = {name: median(results[name, title], "cpu") for name in shown}
        for name in shown:
            samples = results[name, title]
            spread = f"{min(s['cpu'] for s in samples):.1f}..{max(s['cpu'] for s in samples):.1f}"
            # The ratio of a round compares runs that follow each other. The median of the ratios counts.
            to = [ratio(samples, results.get((peer, title))) for peer in ("haproxy", "relay")]
            ratios[title, name] = tuple(to)
            lines.append(
                f"| {name} | {cpu[name]:.1f} | {spread} | {median(samples, 'rate'):,.0f} |"
                f" {median(samples, 'p99'):.2f} | {shown_ratio(to[0])} | {shown_ratio(to[1])} |"
            )
        lines.append("")
    lines += [
        f"**Memory of an idle kept-alive connection** ({IDLE_CONNECTIONS} of them, each has done one request)", "",
        "| | RSS KiB | PSS KiB |", "|---|---|---|",
    ]
    lines += [f"| {name} | {rss / 1024:.2f} | {pss / 1024:.2f} |" for name, (rss, pss) in memory.items()]
    return "\n".join(lines), ratios


def missed(ratios, memory):
    """The bars that greenlight misses, in words."""
    bars = []
    for what in LOADS:
        for peer, value, limit in zip(
            ("HAProxy", "the relay"),
            ratios.get((what.title, "greenlight"), (None, None)),
            (what.to_haproxy, what.to_relay),
        ):
            if limit is not None and value is not None:
                bars.append((f"{what.title}: CPU to {peer}", value, limit))
    bars.append(("KiB for an idle connection", max(memory["greenlight"]) / 1024, 3.0))
    return [f"{what} is {value:.2f}, the bar is {limit}" for what, value, limit in bars if value > limit]


def starters(options, folder, origin):
    """The function that starts each engine, by name. The relay comes first, because it is the floor."""
    known = {
        "relay": lambda: engines.relay(options.build, folder, origin.port),
        "haproxy": lambda: engines.haproxy(options.build, folder, origin.port),
        "nginx": lambda: engines.nginx(options.build, folder, origin.port),
        "greenlight": lambda: engines.greenlight(options.greenlight, folder, origin.ports),
    }
    wanted = [name for name in known if name not in options.without]
    return {name: known[name] for name in wanted}


def measure(options, folder):
    running = []

    def start(make):
        engine = make()
        running.append(engine)
        return engine.ready()

    def stop(engine):
        engine.stop()
        running.remove(engine)

    try:
        origin = start(lambda: engines.Origin(options.build, folder))
        makers = starters(options, folder, origin)
        notes = []
        memory = {}
        for name, make in makers.items():
            if name == "relay":
                continue  # it holds two sockets and their buffers, so it is a floor of CPU and not of memory
            engine = start(make)
            memory[name] = idle_memory(engine)
            stop(engine)
        up = {name: start(make) for name, make in makers.items()}
        if "greenlight" in up:
            notes.append("greenlight: " + engines.bake(up["greenlight"]))
        results = {}
        order = list(up)
        for engine in up.values():
            load(engine, LOADS[0], 1)
        for round_number in range(options.rounds):
            for what in (what for what in LOADS if options.only in what.title):
                if what.streams and shutil.which("h2load") is None:
                    continue
                for name in (name for name in order if not what.tls or up[name].tls):
                    sample = load(up[name], what, options.seconds)
                    results.setdefault((name, what.title), []).append(sample)
                    said = f"round {round_number + 1}, {what.title}, {name}: {sample['cpu']:.1f} us"
                    print(said, file=sys.stderr)
            order = order[1:] + order[:1]
        return results, list(up), memory, notes
    finally:
        for engine in reversed(running):
            engine.stop()


def version(command):
    """The version that a program prints, on either stream."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return re.search(r"\d+\.\d+[\w.+-]*", ran.stdout + ran.stderr).group()


def main():
    parser = argparse.ArgumentParser(prog="benches/peers/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each load")
    parser.add_argument("--quick", action="store_true", help="one round of 2 s")
    parser.add_argument("--bar", action="store_true", help="exit 1 if greenlight misses a bar")
    parser.add_argument("--without", nargs="*", default=[], metavar="ENGINE", help="leave these out")
    parser.add_argument("--only", default="", metavar="TEXT", help="the loads with this in their title")
    parser.add_argument("--build", default="target/dist", help="where the examples are")
    parser.add_argument(
        "--greenlight", default="target/dist/greenlight run -c {config}", metavar="COMMAND",
        help="with {config}, or {port} and {origin}",
    )
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 2
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    with tempfile.TemporaryDirectory(prefix="greenlight-peers-") as folder:
        try:
            results, names, memory, notes = measure(options, Path(folder))
        except Failed as failure:
            sys.exit(f"benches/peers/run: {failure}")
    text, ratios = tables(results, names, memory)
    haproxy, nginx = version(["haproxy", "-v"]), version(["nginx", "-v"])
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, HAProxy {haproxy}, nginx {nginx},"
          f" {options.rounds} rounds of {options.seconds} s; medians. {' '.join(notes)}\n")
    print(text)
    if options.bar:
        misses = missed(ratios, memory) if "greenlight" in names else ["greenlight was not measured"]
        for miss in misses:
            print(f"missed: {miss}", file=sys.stderr)
        sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
