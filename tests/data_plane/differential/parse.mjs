// Reads captures (4 bytes of length, then the bytes) with Node's HTTP server; prints a JSON line for each:
// [[method, target, body in hex], ...] of the whole requests, or {"error": why}.
import fs from "node:fs";
import http from "node:http";
import net from "node:net";

const results = new Map();
const server = http.createServer({ maxHeaderSize: 1 << 20, keepAlive: true }, (request, response) => {
  const list = results.get(request.socket.remotePort);
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    list.push([request.method, request.url, Buffer.concat(parts).toString("hex")]);
    response.end();
  });
  request.on("error", () => {});
});
server.on("connection", (socket) => results.set(socket.remotePort, []));
server.on("clientError", (why, socket) => {
  // The end inside an unfinished request is how the front door aborts one.
  if (why.code !== "HPE_INVALID_EOF_STATE" && why.code !== "ECONNRESET") {
    results.set(socket.remotePort, { error: why.code, reason: why.reason });
  }
  socket.destroy();
});

function feed(data) {
  return new Promise((resolve) => {
    const socket = net.connect(server.address().port, "127.0.0.1");
    let port;
    socket.on("connect", () => {
      port = socket.localPort;
      socket.end(data);
    });
    socket.on("data", () => {});
    socket.on("error", () => {});
    socket.on("close", () => {
      const found = results.get(port);
      results.delete(port);
      resolve(found);
    });
  });
}

server.listen(0, "127.0.0.1", async () => {
  const file = fs.readFileSync(process.argv[2]);
  const captures = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at);
    captures.push(file.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  for (let at = 0; at < captures.length; at += 64) {
    const found = await Promise.all(captures.slice(at, at + 64).map(feed));
    for (const list of found) console.log(JSON.stringify(list));
  }
  server.close();
});
