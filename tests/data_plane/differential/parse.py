"""Reads captures (4 bytes of length, then the bytes) with h11 as a server would; prints a JSON line for each:
[[method, target, body in hex], ...] of the whole requests, or {"error": why}."""

import json
import struct
import sys

import h11


def requests(data):
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    found = []
    current = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA or event is h11.PAUSED:
            # An unfinished request was aborted by the front door.
            return found
        if isinstance(event, h11.Request):
            current = [event.method.decode(), event.target.decode(), b""]
        elif isinstance(event, h11.Data):
            current[2] += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            found.append([current[0], current[1], current[2].hex()])
            connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is h11.MUST_CLOSE:
                return found
            connection.start_next_cycle()


def main():
    with open(sys.argv[1], "rb") as file:
        while prefix := file.read(4):
            data = file.read(struct.unpack("<I", prefix)[0])
            try:
                line = requests(data)
            except h11.ProtocolError as why:
                line = {"error": str(why)}
            print(json.dumps(line))


main()
