"""gRPC through greenlight. A server and a client of grpcio check what they see of each other."""

import queue
import socket
import subprocess
import sys
import threading
import time
from concurrent import futures
from pathlib import Path

import grpc

TINY_MESSAGES = 100_000
CANCEL_SECONDS = 0.1
PATIENCE = 30
BIG = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

# The calls that the server saw end early, as (kind of call, time on the monotonic clock).
gone = queue.Queue()


def note_end(context, what):
    context.add_callback(lambda: gone.put((what, time.monotonic())))


def unary(message, context):
    metadata = dict(context.invocation_metadata())
    context.send_initial_metadata([("x-initial", metadata.get("x-sent", ""))])
    context.set_trailing_metadata([("x-trailing", "yes"), ("x-bin-bin", b"\x00\xff")])
    return message


def collect(messages, _context):
    count, size = 0, 0
    for message in messages:
        count, size = count + 1, size + len(message)
    return f"{count} {size}".encode()


def repeat(message, _context):
    for number in range(int(message)):
        yield str(number).encode()


def echo(messages, _context):
    yield from messages


def hang(_message, context):
    left = context.time_remaining()
    gone.put(("left", left))
    note_end(context, "unary")
    ended = threading.Event()
    context.add_callback(ended.set)
    ended.wait(PATIENCE)
    return b"too late"


def hang_streaming(_message, context):
    note_end(context, "streaming")
    ended = threading.Event()
    context.add_callback(ended.set)
    yield b"first"
    ended.wait(PATIENCE)


def fail(_message, context):
    context.set_trailing_metadata([("x-why", "because")])
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now, f\u00fcr \u00fcbel")


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=128), options=BIG)
    methods = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Collect": grpc.stream_unary_rpc_method_handler(collect),
        "Repeat": grpc.unary_stream_rpc_method_handler(repeat),
        "Echo": grpc.stream_stream_rpc_method_handler(echo),
        "Hang": grpc.unary_unary_rpc_method_handler(hang),
        "HangStreaming": grpc.unary_stream_rpc_method_handler(hang_streaming),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", methods),))
    ports = [server.add_insecure_port("127.0.0.1:0") for _ in range(2)]
    server.start()
    return server, ports


def expect_end(what, since):
    """The server must hear of the end of the call, and soon. Returns the seconds that it took."""
    told, when = gone.get(timeout=PATIENCE)
    assert told == what, (told, what)
    took = when - since
    assert took <= CANCEL_SECONDS, f"{what}: the server heard of it after {took * 1000:.0f} ms"
    return took


def check_unary(channel):
    call = channel.unary_unary("/t.T/Unary")
    answer, done = call.with_call(b"hello", metadata=[("x-sent", "sent")], timeout=PATIENCE)
    assert answer == b"hello", answer
    assert ("x-initial", "sent") in [(m.key, m.value) for m in done.initial_metadata()]
    trailing = {m.key: m.value for m in done.trailing_metadata()}
    assert trailing["x-trailing"] == "yes" and trailing["x-bin-bin"] == b"\x00\xff", trailing
    assert call(b"", timeout=PATIENCE) == b""
    big = bytes(range(256)) * 40_000
    assert call(big, timeout=PATIENCE) == big


def check_streams(channel):
    sent = [b"x" * number for number in range(1000)]
    total = channel.stream_unary("/t.T/Collect")(iter(sent), timeout=PATIENCE)
    assert total == f"1000 {sum(map(len, sent))}".encode(), total
    assert channel.stream_unary("/t.T/Collect")(iter([]), timeout=PATIENCE) == b"0 0"
    came = [int(m) for m in channel.unary_stream("/t.T/Repeat")(b"1000", timeout=PATIENCE)]
    assert came == list(range(1000))
    # Client and server take strict turns, so each message has to pass while the call goes on.
    turns = queue.Queue()
    answers = channel.stream_stream("/t.T/Echo")(iter(turns.get, None), timeout=PATIENCE)
    for number in range(200):
        turns.put(str(number).encode())
        assert next(answers) == str(number).encode()
    turns.put(None)
    assert list(answers) == []


def check_deadline(channel):
    begin = time.monotonic()
    try:
        channel.unary_unary("/t.T/Hang")(b"", timeout=0.5)
        raise AssertionError("it came back")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
    _, left = gone.get(timeout=PATIENCE)
    # grpcio rounds the remaining time up.
    assert left is not None and 0 < left <= 0.55, f"the server was told of {left} s"
    # The server sees its own deadline or the reset from greenlight, the earlier of the two.
    expect_end("unary", begin + 0.5)


def check_cancel(channel):
    while not gone.empty():
        gone.get()
    call = channel.unary_unary("/t.T/Hang").future(b"")
    assert gone.get(timeout=PATIENCE)[0] == "left"
    begin = time.monotonic()
    call.cancel()
    first = expect_end("unary", begin)
    stream = channel.unary_stream("/t.T/HangStreaming")(b"")
    assert next(stream) == b"first"
    begin = time.monotonic()
    stream.cancel()
    return max(first, expect_end("streaming", begin))


def check_trailers_only(channel):
    for _ in range(3):
        try:
            channel.unary_unary("/t.T/Fail")(b"", timeout=PATIENCE)
            raise AssertionError("it came back")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.FAILED_PRECONDITION, error
            assert error.details() == "not now, f\u00fcr \u00fcbel", error.details()
            assert ("x-why", "because") in [(m.key, m.value) for m in error.trailing_metadata()]
    try:
        channel.unary_unary("/t.T/Nothing")(b"", timeout=PATIENCE)
        raise AssertionError("it came back")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error


def check_tiny(channel):
    begin = time.monotonic()
    sent = (number.to_bytes(4, "big") for number in range(TINY_MESSAGES))
    answers = channel.stream_stream("/t.T/Echo")(sent, timeout=600)
    count = 0
    for answer in answers:
        assert int.from_bytes(answer, "big") == count, count
        count += 1
    assert count == TINY_MESSAGES, count
    return time.monotonic() - begin


def check_many(channel):
    call = channel.unary_unary("/t.T/Unary")
    pending = [call.future(str(number).encode(), timeout=PATIENCE) for number in range(2000)]
    assert [int(one.result()) for one in pending] == list(range(2000))


CONFIG = """\
[[listeners]]
bind = "127.0.0.1:{public}"
[admin]
bind = "127.0.0.1:{admin}"
[store]
path = "{folder}/store"
[services.app]
hosts = ["localhost"]
default = true
[services.app.upstream]
blue = ["127.0.0.1:{blue}"]
green = ["127.0.0.1:{green}"]
protocol = "h2c"
[services.app.health]
kind = "tcp"
"""


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    return [one.getsockname()[1] for one in held]


def main(greenlight, folder):
    server, (blue, green) = serve()
    public, admin = free_ports(2)
    path = Path(folder) / "greenlight.toml"
    path.write_text(CONFIG.format(public=public, admin=admin, folder=folder, blue=blue, green=green))
    log = Path(folder) / "greenlight.log"
    with open(log, "wb") as sink:
        door = subprocess.Popen([greenlight, "run", "-c", str(path)], stdout=sink, stderr=sink)
    failed = 0
    try:
        with grpc.insecure_channel(f"127.0.0.1:{public}", options=BIG) as channel:
            grpc.channel_ready_future(channel).result(timeout=PATIENCE)
            checks = [check_unary, check_streams, check_deadline, check_cancel, check_trailers_only, check_many, check_tiny]
            for check in checks:
                name = check.__name__.removeprefix("check_").replace("_", " ")
                try:
                    took = check(channel)
                    print(f"ok: {name}" + (f" ({took * 1000:.0f} ms)" if took else ""))
                except Exception as why:
                    failed += 1
                    print(f"FAILED: {name}: {type(why).__name__}: {why}")
    finally:
        door.terminate()
        door.wait(timeout=PATIENCE)
        server.stop(0)
    if failed:
        print(log.read_text(errors="replace")[-3000:])
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
