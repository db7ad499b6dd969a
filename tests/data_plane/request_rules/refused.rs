//! "Requests we refuse" of docs/http.md, a row or more for each of its clauses.

use super::meaning::{Asked, H2, PROTOCOL_ERROR};

/// A request that never reaches the origin, and the status it is answered with over HTTP/1.1, where its
/// connection is closed behind the answer. Over HTTP/2 it is the same request word by word.
pub(crate) struct Refused {
    /// The words of the document.
    pub clause: &'static str,
    pub raw: Vec<u8>,
    pub status: u16,
    pub h2: H2,
}

/// The rows of one clause, which have one end over HTTP/2, but for those that say otherwise.
fn clause(clause: &'static str, h2: H2, rows: Vec<Refused>) -> Vec<Refused> {
    let of = |row: Refused| Refused { clause, h2: if row.h2 == UNSAID { h2 } else { row.h2 }, ..row };
    rows.into_iter().map(of).collect()
}

const UNSAID: H2 = H2::Nothing("");
const MALFORMED: H2 = H2::Reset(PROTOCOL_ERROR);
/// What h2 can't read on behind.
const LOST: H2 = H2::Goaway(PROTOCOL_ERROR);
const LINES: H2 = H2::Nothing("there are no lines");
const VERSIONS: H2 = H2::Nothing("there is one version");
const CHUNKS: H2 = H2::Nothing("there are no chunks");

fn row(status: u16, raw: impl Into<Vec<u8>>) -> Refused {
    Refused { clause: "", raw: raw.into(), status, h2: UNSAID }
}

impl Refused {
    /// Over HTTP/2 it ends differently from the others of its clause.
    fn but(self, h2: H2) -> Self {
        Self { h2, ..self }
    }
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
pub(crate) fn heads() -> Vec<Refused> {
    let mut rows = framing();
    rows.extend(fields());
    rows.extend(hosts());
    rows.extend(lines());
    rows.extend(limits());
    rows
}

fn framing() -> Vec<Refused> {
    let mut rows = clause(
        "Content-Length with Transfer-Encoding",
        MALFORMED,
        vec![
            post(400, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
            post(400, "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        ],
    );
    rows.extend(clause(
        "two Content-Lengths, equal or not",
        MALFORMED,
        vec![
            post(400, "Content-Length: 5\r\nContent-Length: 5"),
            post(400, "Content-Length: 5\r\nContent-Length: 6"),
        ],
    ));
    rows.extend(clause(
        "lists, signs, hex, overflow",
        MALFORMED,
        vec![
            post(400, "Content-Length: 5, 5"),
            post(400, "Content-Length: +5"),
            post(400, "Content-Length: -5"),
            post(400, "Content-Length: 0x5"),
            post(400, "Content-Length: 5 5"),
            post(400, "Content-Length:").but(H2::Status(400)),
            post(400, "Content-Length: 18446744073709551616"),
        ],
    ));
    rows.extend(clause(
        "any Transfer-Encoding but exactly one `chunked` (501)",
        MALFORMED,
        vec![
            post(501, "Transfer-Encoding: gzip"),
            post(501, "Transfer-Encoding: identity"),
            post(501, "Transfer-Encoding: gzip, chunked"),
            post(501, "Transfer-Encoding: chunked, chunked"),
            post(501, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            post(501, "Transfer-Encoding: xchunked"),
            post(501, "Transfer-Encoding:"),
        ],
    ));
    rows.extend(clause(
        "and any on HTTP/1.0",
        VERSIONS,
        vec![row(400, "POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")],
    ));
    rows
}

fn fields() -> Vec<Refused> {
    let mut rows = clause("obs-fold", LOST, vec![get(400, "A: b\r\n c"), get(400, "A: b\r\n\tc")]);
    rows.extend(clause(
        "NUL, bare CR or other control bytes in a field",
        LOST,
        vec![get(400, "A: b\0c"), get(400, "A: b\rc"), get(400, "A: b\x0bc"), get(400, "A: b\x7fc")],
    ));
    rows.extend(clause(
        "method and names are tokens, no space before the colon",
        LOST,
        vec![
            get(400, "A : b"),
            get(400, "Content-Length : 5"),
            get(400, ": b"),
            get(400, "A b: c"),
            get(400, "A").but(H2::Nothing("a field is a name and a value")),
            line(400, "G(T / HTTP/1.1"),
        ],
    ));
    rows.extend(clause(
        "unknown `Expect` (417)",
        H2::Status(417),
        vec![get(417, "Expect: 200-ok"), get(417, "Expect: 100-continue, x")],
    ));
    rows.extend(clause(
        "CRLF only, a bare LF is 400, in chunk lines too",
        LINES,
        vec![
            row(400, "GET / HTTP/1.1\nHost: app.test\r\n\r\n"),
            row(400, "GET / HTTP/1.1\r\nHost: app.test\n\r\n"),
            row(400, "GET / HTTP/1.1\r\nHost: app.test\r\n\n"),
        ],
    ));
    rows.extend(clause(
        "at most two empty lines before a request",
        LINES,
        vec![row(400, "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: app.test\r\n\r\n")],
    ));
    rows
}

fn hosts() -> Vec<Refused> {
    let of = |lines: &str| row(400, format!("GET / HTTP/1.1\r\n{lines}\r\n"));
    let absolute =
        |target: &str, host: &str| row(400, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    let mut rows = clause(
        "no Host on 1.1, two, empty or malformed ones",
        H2::Status(400),
        vec![
            of(""),
            of("A: b\r\n"),
            of("Host: app.test\r\nHost: app.test\r\n").but(H2::Passes),
            of("Host: app.test\r\nHost: other.test\r\n"),
            of("Host:\r\n").but(MALFORMED),
            of("Host: app.test, other.test\r\n").but(MALFORMED),
            of("Host: app.test/x\r\n").but(MALFORMED),
            of("Host: user@app.test\r\n"),
            of("Host: app.test:x\r\n"),
            of("Host: app.test:65536\r\n"),
            of("Host: app..test\r\n"),
            of("Host: [::1\r\n").but(MALFORMED),
        ],
    );
    rows.extend(clause(
        "absolute-form whose authority differs from Host, or with userinfo",
        MALFORMED,
        vec![
            absolute("http://other.test/", "app.test"),
            absolute("http://app.test:81/", "app.test"),
            absolute("http://user@app.test/", "app.test"),
            absolute("http://user:secret@app.test/", "app.test"),
        ],
    ));
    rows
}

fn lines() -> Vec<Refused> {
    let mut rows = clause(
        "targets that do not begin with `/` (`OPTIONS *` we answer), with `#` or control bytes",
        MALFORMED,
        vec![
            line(400, "GET a HTTP/1.1"),
            line(400, "GET * HTTP/1.1").but(H2::Status(400)),
            line(400, "GET ?a HTTP/1.1").but(H2::Status(400)),
            // Cut off by the `http` crate before anything of ours sees it: nobody sees it.
            line(400, "GET /a#b HTTP/1.1").but(H2::Passes),
            line(400, "GET /a\x01b HTTP/1.1"),
            line(400, "GET /a\x7fb HTTP/1.1"),
        ],
    );
    rows.extend(clause(
        "one SP between the parts of the first line",
        LINES,
        vec![
            line(400, "GET /a b HTTP/1.1"),
            line(400, "GET  / HTTP/1.1"),
            line(400, "GET /  HTTP/1.1"),
            line(400, "GET\t/ HTTP/1.1"),
            line(400, "GET /"),
        ],
    ));
    rows.extend(clause(
        "CONNECT and TRACE (405)",
        H2::Status(405),
        vec![
            // Without a scheme and a path it is one of the rows of HTTP/2.
            line(405, "CONNECT app.test:443 HTTP/1.1").but(MALFORMED),
            line(405, "TRACE / HTTP/1.1"),
        ],
    ));
    rows.extend(clause(
        "unknown HTTP versions (505)",
        VERSIONS,
        vec![line(505, "GET / HTTP/0.9"), line(505, "GET / HTTP/1.2"), line(505, "GET / HTTP/3.0")],
    ));
    rows
}

/// The body's limit in these tests.
pub(crate) const BODY_BYTES_MAX: u64 = 1000;

const LIMITS: &str = "Over the limits: 431, 414, 413";

fn limits() -> Vec<Refused> {
    let told = BODY_BYTES_MAX + 1;
    let body = "x".repeat(usize::try_from(told).unwrap());
    let same = |row: Refused| {
        let h2 = H2::Status(row.status);
        row.but(h2)
    };
    clause(
        LIMITS,
        UNSAID,
        vec![
            same(line(414, &format!("GET /{} HTTP/1.1", "t".repeat(8 * 1024)))),
            same(get(431, &format!("A: {}", "b".repeat(32 * 1024)))),
            same(get(431, &vec!["A: b"; 100].join("\r\n"))),
            same(row(
                413,
                format!("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: {told}\r\n\r\n{body}"),
            )),
        ],
    )
}

/// Refused inside their bodies: the origin may have seen the head, never a whole request, and its connection is
/// not used again.
pub(crate) fn bodies() -> Vec<Refused> {
    let mut rows = clause(
        "malformed chunks (400, the origin request aborted, its connection never reused)",
        CHUNKS,
        vec![
            chunked("x\r\n"),
            chunked("-5\r\nhello\r\n0\r\n\r\n"),
            chunked("+5\r\nhello\r\n0\r\n\r\n"),
            chunked("0x5\r\nhello\r\n0\r\n\r\n"),
            chunked(" 5\r\nhello\r\n0\r\n\r\n"),
            chunked("5 \r\nhello\r\n0\r\n\r\n"),
            chunked("\r\nhello\r\n0\r\n\r\n"),
            chunked("5\r\nhello0\r\n\r\n"),
            chunked("5\r\nhello!\r\n0\r\n\r\n"),
            chunked("5;\0\r\nhello\r\n0\r\n\r\n"),
            chunked("5\r\nhello\r\n0\r\nA : b\r\n\r\n"),
            chunked("5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"),
        ],
    );
    rows.extend(clause(
        "CRLF only, a bare LF is 400, in chunk lines too",
        CHUNKS,
        vec![
            chunked("5\nhello\r\n0\r\n\r\n"),
            chunked("5\r\nhello\n0\r\n\r\n"),
            chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"),
            chunked("5\r\nhello\r\n0\r\nA: b\n\r\n"),
        ],
    ));
    rows.extend(clause(
        "1 to 16 hex digits; extensions at most 256 B each and 16 KiB a body",
        CHUNKS,
        vec![
            chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
            chunked(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(300))),
            chunked(&(format!("1;{}\r\nx\r\n", "x".repeat(254)).repeat(65) + "0\r\n\r\n")),
        ],
    ));
    let trailers =
        |lines: String| Refused { status: 431, ..chunked(&format!("5\r\nhello\r\n0\r\n{lines}\r\n")) };
    rows.extend(clause(
        "trailers under the limits of a head",
        CHUNKS,
        vec![trailers("A: b\r\n".repeat(101)), trailers(format!("A: {}\r\n", "b".repeat(32 * 1024)))],
    ));
    let large = "x".repeat(usize::try_from(BODY_BYTES_MAX + 1).unwrap());
    rows.extend(clause(
        LIMITS,
        CHUNKS,
        vec![Refused {
            status: 413,
            ..chunked(&format!("{:x}\r\n{large}\r\n0\r\n\r\n", BODY_BYTES_MAX + 1))
        }],
    ));
    rows
}

/// A request that only HTTP/2 can make.
pub(crate) struct Stream {
    pub clause: &'static str,
    pub asked: Asked,
    pub h2: H2,
}

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "http");
const PATH: (&str, &str) = (":path", "/");
const AUTHORITY: (&str, &str) = (":authority", "app.test");

/// What HTTP/2 adds to the section.
pub(crate) fn streams() -> Vec<Stream> {
    let row = |clause, h2, fields: &[(&str, &str)]| Stream { clause, asked: Asked::new(fields), h2 };
    let base = [METHOD, SCHEME, PATH, AUTHORITY];
    let with = |clause, h2, field| row(clause, h2, &[&base[..], &[field]].concat());
    let lengths = "two Content-Lengths, equal or not";
    let two = |value| [&base[..], &[("content-length", "0"), ("content-length", value)]].concat();
    let differs = "`:authority` that differs from `host`";
    let hosts = "no Host on 1.1, two, empty or malformed ones";
    let names = "method and names are tokens, no space before the colon";
    let heads = "on h2 a refused request is a 400 on its stream";
    let connect = "CONNECT and TRACE (405)";
    vec![
        row(lengths, H2::Status(400), &two("0")),
        row(lengths, MALFORMED, &two("1")),
        with(differs, H2::Status(400), ("host", "other.test")),
        with(differs, H2::Status(400), ("host", "app.test:81")),
        row(hosts, H2::Status(400), &[METHOD, SCHEME, PATH, ("host", "app.test"), ("host", "app.test")]),
        row(
            hosts,
            H2::Status(400),
            &[METHOD, SCHEME, PATH, AUTHORITY, ("host", "app.test"), ("host", "app.test")],
        ),
        row(hosts, H2::Status(400), &[METHOD, SCHEME, PATH, ("host", "")]),
        row(hosts, H2::Status(400), &[METHOD, SCHEME, PATH, ("host", "a/b")]),
        row(connect, H2::Status(405), &[(":method", "CONNECT"), (":authority", "app.test:443")]),
        with(heads, MALFORMED, ("x-a", " b")),
        with(heads, MALFORMED, ("x-a", "b\t")),
        with(heads, MALFORMED, ("content-length", "5")),
        with(heads, MALFORMED, ("te", "gzip")),
        row(heads, MALFORMED, &[METHOD, SCHEME, AUTHORITY]),
        row(heads, MALFORMED, &[METHOD, SCHEME, (":path", ""), AUTHORITY]),
        row(heads, MALFORMED, &[METHOD, PATH, AUTHORITY]),
        row(heads, MALFORMED, &[SCHEME, PATH, AUTHORITY]),
        row(heads, MALFORMED, &[METHOD, METHOD, SCHEME, PATH, AUTHORITY]),
        row(heads, MALFORMED, &[METHOD, SCHEME, PATH, ("x-a", "b"), AUTHORITY]),
        row(heads, MALFORMED, &[METHOD, SCHEME, PATH, AUTHORITY, (":status", "200")]),
        with(names, LOST, ("X-A", "b")),
        with(names, LOST, (":x", "y")),
        with(names, LOST, ("x a", "b")),
        with(names, LOST, ("", "b")),
    ]
}
