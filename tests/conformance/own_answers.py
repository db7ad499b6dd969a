"""httplint reads every answer that greenlight itself gives. No answer may get a note of level "bad", except for
the notes that only put the status into words (httplint has one for 414 and one for 505, for every server).

usage: python tests/conformance/own_answers.py BINARY
"""

import sys
import time

from httplint import HttpResponseLinter
from httplint.note import levels

from door import HEAD, Origin, exchange, free_port, greenlight, service, silent

MORE = """
[services.NAME.proxy]
response_timeout = "1s"
body_max = "1KiB"
"""

STATUS_NOTES = {"STATUS_URI_TOO_LONG", "STATUS_VERSION_NOT_SUPPORTED"}


def malformed(connection):
    if connection.recv(65536):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")


def request(host="good.example.org", line="GET / HTTP/1.1", fields=""):
    return f"{line}\r\nHost: {host}\r\n{fields}\r\n".encode()


def public_rows():
    """Rows of (expected status, bytes that are sent)."""
    return [
        (200, request(line="OPTIONS * HTTP/1.1")),
        (400, request(fields="Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")),
        (404, request(host="nobody.example.org")),
        (404, request(host="nobody.example.org", line="HEAD / HTTP/1.1")),
        (405, request(line="TRACE / HTTP/1.1")),
        (408, b"GET / HTTP/1.1\r\nHost: "),
        (413, request(line="POST / HTTP/1.1", fields="Content-Length: 2000\r\n")),
        (414, request(line=f"GET /{'a' * 9000} HTTP/1.1")),
        (417, request(fields="Expect: a-miracle\r\n")),
        (431, request(fields=f"A: {'a' * 33000}\r\n")),
        (501, request(line="POST / HTTP/1.1", fields="Transfer-Encoding: gzip\r\n")),
        (502, request(host="bad.example.org")),
        (503, request(host="gone.example.org")),
        (504, request(host="mute.example.org")),
        (505, request(line="GET / HTTP/3.1")),
    ]


def admin_rows():
    def get(path, fields=""):
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode()

    def post(path, body=b"{}"):
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    return [
        (200, get("/healthz")),
        (200, get("/readyz")),
        (200, get("/metrics")),
        (200, get("/openapi.json")),
        (200, get("/v1/services")),
        (200, get("/v1/services/good")),
        (200, get("/v1/services/good/history")),
        (200, get("/v1/quarantine")),
        (404, get("/v1/services/none")),
        (404, get("/v1/releases/none/explain")),
        (404, get("/none")),
        (405, post("/healthz")),
        (400, post("/v1/services/good/releases", b"{")),
        (409, post("/v1/services/good/promote")),
        (202, post("/v1/services/good/releases")),
    ]


def lint(status, raw, head, body):
    line, *lines = head.split(b"\r\n")
    version, code, phrase = line.split(b" ", 2)
    linter = HttpResponseLinter(start_time=time.time())
    linter.is_head_response = raw.startswith(b"HEAD ")
    linter.process_response_topline(version.split(b"/")[1], code, phrase)
    linter.process_headers([tuple(part.strip() for part in field.split(b":", 1)) for field in lines])
    linter.feed_content(body)
    linter.finish_content(True)
    bad = [note for note in linter.notes if note.level is levels.BAD and type(note).__name__ not in STATUS_NOTES]
    asked = raw.split(b"\r\n")[0][:60].decode("latin-1")
    faults = []
    if int(code) != status:
        faults.append(f"{asked}: {int(code)} where {status} was expected")
    faults += [f"{asked}: {int(code)}: {note.summary}" for note in bad]
    return faults


def main(binary):
    good, bad, mute = Origin(silent), Origin(malformed), Origin(silent)
    configuration = HEAD
    for name, port in {"good": good.port, "bad": bad.port, "mute": mute.port, "gone": free_port()}.items():
        configuration += service(name, port, free_port(), MORE)
    faults, count = [], 0
    with greenlight(binary, configuration) as (port, admin):
        for status, raw in public_rows():
            faults += lint(status, raw, *exchange(port, raw, raw.startswith(b"HEAD ")))
            count += 1
        for status, raw in admin_rows():
            faults += lint(status, raw, *exchange(admin, raw))
            count += 1
    print(f"RESULT httplint: {count} answers, {len(faults)} bad notes")
    print("\n".join(faults))
    return 1 if faults else 0


sys.exit(main(sys.argv[1]))
