//! "Requests we refuse" of FRONT-DOOR.md, a row or more for each of its clauses.

/// A request that never reaches the origin, the status it is answered with, and whether its connection is
/// closed behind the answer (every refusal of HTTP/1.1 is).
pub struct Refused {
    pub raw: Vec<u8>,
    pub status: u16,
}

fn row(status: u16, raw: impl Into<Vec<u8>>) -> Refused {
    Refused { raw: raw.into(), status }
}

/// A POST with these further fields, and a body that would be right for some of them.
fn post(status: u16, fields: &str) -> Refused {
    row(status, format!("POST /p HTTP/1.1\r\nHost: app.test\r\n{fields}\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
}

fn get(status: u16, fields: &str) -> Refused {
    row(status, format!("GET / HTTP/1.1\r\nHost: app.test\r\n{fields}\r\n\r\n"))
}

fn line(status: u16, line: &str) -> Refused {
    row(status, format!("{line}\r\nHost: app.test\r\n\r\n"))
}

/// A chunked POST with this body.
fn chunked(body: &str) -> Refused {
    row(400, format!("POST /p HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n{body}"))
}

/// Refused by their heads: the origin sees nothing at all.
pub fn heads() -> Vec<Refused> {
    let mut rows = framing();
    rows.extend(fields());
    rows.extend(hosts());
    rows.extend(lines());
    rows.extend(limits());
    rows
}

fn framing() -> Vec<Refused> {
    vec![
        post(400, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        post(400, "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        post(400, "Content-Length: 5\r\nContent-Length: 5"),
        post(400, "Content-Length: 5\r\nContent-Length: 6"),
        post(400, "Content-Length: 5, 5"),
        post(400, "Content-Length: +5"),
        post(400, "Content-Length: -5"),
        post(400, "Content-Length: 0x5"),
        post(400, "Content-Length: 5 5"),
        post(400, "Content-Length:"),
        post(400, "Content-Length: 18446744073709551616"),
        post(501, "Transfer-Encoding: gzip"),
        post(501, "Transfer-Encoding: identity"),
        post(501, "Transfer-Encoding: gzip, chunked"),
        post(501, "Transfer-Encoding: chunked, chunked"),
        post(501, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        post(501, "Transfer-Encoding: xchunked"),
        post(501, "Transfer-Encoding:"),
        row(400, "POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ]
}

fn fields() -> Vec<Refused> {
    vec![
        get(400, "A: b\r\n c"),
        get(400, "A: b\r\n\tc"),
        get(400, "A: b\0c"),
        get(400, "A: b\rc"),
        get(400, "A: b\x0bc"),
        get(400, "A: b\x7fc"),
        get(400, "A : b"),
        get(400, "Content-Length : 5"),
        get(400, ": b"),
        get(400, "A b: c"),
        get(400, "A"),
        get(417, "Expect: 200-ok"),
        get(417, "Expect: 100-continue, x"),
        row(400, "GET / HTTP/1.1\nHost: app.test\r\n\r\n"),
        row(400, "GET / HTTP/1.1\r\nHost: app.test\n\r\n"),
        row(400, "GET / HTTP/1.1\r\nHost: app.test\r\n\n"),
        row(400, "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: app.test\r\n\r\n"),
    ]
}

fn hosts() -> Vec<Refused> {
    let of = |lines: &str| row(400, format!("GET / HTTP/1.1\r\n{lines}\r\n"));
    let absolute =
        |target: &str, host: &str| row(400, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    vec![
        of(""),
        of("A: b\r\n"),
        of("Host: app.test\r\nHost: app.test\r\n"),
        of("Host: app.test\r\nHost: other.test\r\n"),
        of("Host:\r\n"),
        of("Host: app.test, other.test\r\n"),
        of("Host: app.test/x\r\n"),
        of("Host: user@app.test\r\n"),
        of("Host: app.test:x\r\n"),
        of("Host: app.test:65536\r\n"),
        of("Host: app..test\r\n"),
        of("Host: [::1\r\n"),
        absolute("http://other.test/", "app.test"),
        absolute("http://app.test:81/", "app.test"),
        absolute("http://user@app.test/", "app.test"),
        absolute("http://user:secret@app.test/", "app.test"),
    ]
}

fn lines() -> Vec<Refused> {
    vec![
        line(400, "GET a HTTP/1.1"),
        line(400, "GET * HTTP/1.1"),
        line(400, "GET ?a HTTP/1.1"),
        line(400, "GET /a#b HTTP/1.1"),
        line(400, "GET /a\x01b HTTP/1.1"),
        line(400, "GET /a\x7fb HTTP/1.1"),
        line(400, "GET /a b HTTP/1.1"),
        line(400, "GET  / HTTP/1.1"),
        line(400, "GET /  HTTP/1.1"),
        line(400, "GET\t/ HTTP/1.1"),
        line(400, "G(T / HTTP/1.1"),
        line(400, "GET /"),
        line(405, "CONNECT app.test:443 HTTP/1.1"),
        line(405, "TRACE / HTTP/1.1"),
        line(505, "GET / HTTP/0.9"),
        line(505, "GET / HTTP/1.2"),
        line(505, "GET / HTTP/3.0"),
    ]
}

fn limits() -> Vec<Refused> {
    vec![
        line(414, &format!("GET /{} HTTP/1.1", "t".repeat(8 * 1024))),
        get(431, &format!("A: {}", "b".repeat(32 * 1024))),
        get(431, &vec!["A: b"; 100].join("\r\n")),
    ]
}

/// Refused inside their bodies: the origin may have seen the head, never a whole request, and its connection is
/// not used again.
pub fn bodies() -> Vec<Refused> {
    vec![
        chunked("x\r\n"),
        chunked("-5\r\nhello\r\n0\r\n\r\n"),
        chunked("+5\r\nhello\r\n0\r\n\r\n"),
        chunked("0x5\r\nhello\r\n0\r\n\r\n"),
        chunked(" 5\r\nhello\r\n0\r\n\r\n"),
        chunked("5 \r\nhello\r\n0\r\n\r\n"),
        chunked("\r\nhello\r\n0\r\n\r\n"),
        chunked("5\nhello\r\n0\r\n\r\n"),
        chunked("5\r\nhello\n0\r\n\r\n"),
        chunked("5\r\nhello0\r\n\r\n"),
        chunked("5\r\nhello!\r\n0\r\n\r\n"),
        chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
        chunked("5;\0\r\nhello\r\n0\r\n\r\n"),
        chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"),
        chunked(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(300))),
        chunked("5\r\nhello\r\n0\r\nA : b\r\n\r\n"),
        chunked("5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"),
        chunked("5\r\nhello\r\n0\r\nA: b\n\r\n"),
    ]
}
