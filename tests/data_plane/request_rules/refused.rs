//! Rows for docs/http.md, "Requests that are refused". Each clause has one row or more.

use super::meaning::{H2, Http2Request, PROTOCOL_ERROR};

/// A request that the door refuses. No complete request of this kind reaches the origin.
pub(crate) struct Refused {
    /// The words of the document that this row shows.
    pub clause: &'static str,
    /// The request in HTTP/1.1. [`Http2Request::translated`] makes the same request of HTTP/2 from it.
    pub raw: Vec<u8>,
    /// The status of the answer over HTTP/1.1. The door closes the connection behind it.
    pub status: u16,
    /// The end of the same request over HTTP/2.
    pub h2: H2,
}

/// Gives rows their clause. They end over HTTP/2 as `h2` says, unless a row names an end of its own.
fn clause(clause: &'static str, h2: H2, rows: Vec<Refused>) -> Vec<Refused> {
    let of = |row: Refused| Refused { clause, h2: if row.h2 == UNSAID { h2 } else { row.h2 }, ..row };
    rows.into_iter().map(of).collect()
}

/// The row names no end of its own over HTTP/2.
const UNSAID: H2 = H2::Nothing("");
const MALFORMED: H2 = H2::Reset(PROTOCOL_ERROR);
/// `h2` can't go on reading behind this fault, so the connection ends.
const LOST: H2 = H2::Goaway(PROTOCOL_ERROR);
const LINES: H2 = H2::Nothing("there are no lines");
const VERSIONS: H2 = H2::Nothing("there is one version");
const CHUNKS: H2 = H2::Nothing("there are no chunks");

// Clauses that have rows of HTTP/1.1 and rows of HTTP/2.
const NAMES: &str =
    "A name that is not a token, an empty name, a space before the colon, a line without a colon";
const TWO_HOSTS: &str = "Two Hosts, equal or not";
const BAD_HOST: &str = "An empty or malformed Host";
const CONNECT: &str = "CONNECT and TRACE, in any case of letters";

fn row(status: u16, raw: impl Into<Vec<u8>>) -> Refused {
    Refused { clause: "", raw: raw.into(), status, h2: UNSAID }
}

impl Refused {
    /// Names an end over HTTP/2 that differs from that of the other rows of the clause.
    fn but(self, h2: H2) -> Self {
        Self { h2, ..self }
    }
}

/// A POST with these further fields. Its body would be complete for some of them.
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

/// Requests that are refused by their heads. The origin sees nothing of them.
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
        "Two Content-Lengths, equal or not",
        MALFORMED,
        vec![
            post(400, "Content-Length: 5\r\nContent-Length: 5"),
            post(400, "Content-Length: 5\r\nContent-Length: 6"),
        ],
    ));
    rows.extend(clause(
        "A Content-Length that is a list, has a sign, a space or hex digits, or is over 2^63 − 1",
        MALFORMED,
        vec![
            post(400, "Content-Length: 5, 5"),
            post(400, "Content-Length: +5"),
            post(400, "Content-Length: -5"),
            post(400, "Content-Length: 0x5"),
            post(400, "Content-Length: 5 5"),
            post(400, "Content-Length: 18446744073709551616"),
        ],
    ));
    rows.extend(clause("An empty Content-Length", H2::Status(400), vec![post(400, "Content-Length:")]));
    rows.extend(clause(
        "Any Transfer-Encoding but exactly one `chunked`",
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
        "Any Transfer-Encoding on HTTP/1.0",
        VERSIONS,
        vec![row(400, "POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")],
    ));
    rows
}

fn fields() -> Vec<Refused> {
    let mut rows = clause(
        "obs-fold, a line that continues the field before it",
        LOST,
        vec![get(400, "A: b\r\n c"), get(400, "A: b\r\n\tc")],
    );
    rows.extend(clause(
        "NUL, a bare CR, another control byte or 0x7F in a value",
        LOST,
        vec![get(400, "A: b\0c"), get(400, "A: b\rc"), get(400, "A: b\x0bc"), get(400, "A: b\x7fc")],
    ));
    rows.extend(clause(
        NAMES,
        LOST,
        vec![
            get(400, "A : b"),
            get(400, "Content-Length : 5"),
            get(400, ": b"),
            get(400, "A b: c"),
            get(400, "A").but(H2::Nothing("a field is a name and a value")),
        ],
    ));
    rows.extend(clause(
        "An unknown `Expect`",
        H2::Status(417),
        vec![get(417, "Expect: 200-ok"), get(417, "Expect: 100-continue, x")],
    ));
    rows
}

fn hosts() -> Vec<Refused> {
    let of = |lines: &str| row(400, format!("GET / HTTP/1.1\r\n{lines}\r\n"));
    let absolute =
        |target: &str, host: &str| row(400, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    let mut rows = clause("No Host on HTTP/1.1", H2::Status(400), vec![of(""), of("A: b\r\n")]);
    rows.extend(clause(
        TWO_HOSTS,
        H2::Status(400),
        vec![
            of("Host: app.test\r\nHost: app.test\r\n").but(H2::Passes),
            of("Host: app.test\r\nHost: other.test\r\n"),
        ],
    ));
    rows.extend(clause(
        BAD_HOST,
        H2::Status(400),
        vec![
            of("Host:\r\n").but(MALFORMED),
            of("Host: app.test, other.test\r\n").but(MALFORMED),
            of("Host: app.test/x\r\n").but(MALFORMED),
            of("Host: user@app.test\r\n"),
            of("Host: app.test:x\r\n"),
            of("Host: app.test:65536\r\n"),
            of("Host: app..test\r\n"),
            of("Host: [::1\r\n").but(MALFORMED),
        ],
    ));
    rows.extend(clause(
        "Absolute form with an authority that differs from Host, or with userinfo.",
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
        "A target that does not begin with `/` and is not in absolute form",
        MALFORMED,
        vec![
            line(400, "GET a HTTP/1.1"),
            line(400, "GET * HTTP/1.1").but(H2::Status(400)),
            line(400, "GET ?a HTTP/1.1").but(H2::Status(400)),
        ],
    );
    rows.extend(clause(
        "A target with `#`",
        // The `http` crate cuts `#b` off before the door sees the target, and the door forwards the rest.
        H2::Passes,
        vec![line(400, "GET /a#b HTTP/1.1")],
    ));
    rows.extend(clause(
        "A target with a space, a control byte or 0x7F",
        MALFORMED,
        vec![line(400, "GET /a\x01b HTTP/1.1"), line(400, "GET /a\x7fb HTTP/1.1")],
    ));
    rows.extend(clause(
        CONNECT,
        H2::Status(405),
        vec![
            // The translation has a scheme and a path, so the CONNECT is malformed. The CONNECT without them
            // is in `streams`.
            line(405, "CONNECT app.test:443 HTTP/1.1").but(MALFORMED),
            line(405, "TRACE / HTTP/1.1"),
        ],
    ));
    rows.extend(clause(
        "A version that is neither 1.0 nor 1.1",
        VERSIONS,
        vec![line(505, "GET / HTTP/0.9"), line(505, "GET / HTTP/1.2"), line(505, "GET / HTTP/3.0")],
    ));
    rows.extend(clause("A method that is not a token", LOST, vec![line(400, "G(T / HTTP/1.1")]));
    rows.extend(clause(
        "Anything but exactly one SP between the parts of the first line",
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
        "A bare LF at any line end",
        LINES,
        vec![
            row(400, "GET / HTTP/1.1\nHost: app.test\r\n\r\n"),
            row(400, "GET / HTTP/1.1\r\nHost: app.test\n\r\n"),
            row(400, "GET / HTTP/1.1\r\nHost: app.test\r\n\n"),
        ],
    ));
    rows.extend(clause(
        "More than two empty lines before a request",
        LINES,
        vec![row(400, "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: app.test\r\n\r\n")],
    ));
    rows
}

/// The value of `body_max` in these tests, in bytes.
pub(crate) const BODY_BYTES_MAX: u64 = 1000;

fn limits() -> Vec<Refused> {
    let told = BODY_BYTES_MAX + 1;
    let body = "x".repeat(usize::try_from(told).unwrap());
    let mut rows = clause(
        "The header block is over `header_block_max`.",
        H2::Status(431),
        vec![get(431, &format!("A: {}", "b".repeat(32 * 1024)))],
    );
    rows.extend(clause(
        "More fields than `header_count_max`",
        H2::Status(431),
        vec![get(431, &vec!["A: b"; 100].join("\r\n"))],
    ));
    rows.extend(clause(
        "The target is over `target_max`",
        H2::Status(414),
        vec![line(414, &format!("GET /{} HTTP/1.1", "t".repeat(8 * 1024)))],
    ));
    rows.extend(clause(
        "The told length is over `body_max`",
        H2::Status(413),
        vec![row(413, format!("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: {told}\r\n\r\n{body}"))],
    ));
    rows
}

/// Requests that are refused inside their bodies. The origin may have seen the head, but never a complete
/// request, and the door does not use its connection again.
pub(crate) fn bodies() -> Vec<Refused> {
    let mut rows = clause(
        "A chunk size that is not 1 to 16 hex digits; a sign, `0x` or whitespace around it",
        CHUNKS,
        vec![
            chunked("x\r\n"),
            chunked("-5\r\nhello\r\n0\r\n\r\n"),
            chunked("+5\r\nhello\r\n0\r\n\r\n"),
            chunked("0x5\r\nhello\r\n0\r\n\r\n"),
            chunked(" 5\r\nhello\r\n0\r\n\r\n"),
            chunked("5 \r\nhello\r\n0\r\n\r\n"),
            chunked("\r\nhello\r\n0\r\n\r\n"),
            chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ],
    );
    rows.extend(clause(
        "A chunk extension over 256 bytes, extensions over 16 KiB in one body, a control byte in one",
        CHUNKS,
        vec![
            chunked("5;\0\r\nhello\r\n0\r\n\r\n"),
            chunked(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(300))),
            chunked(&(format!("1;{}\r\nx\r\n", "x".repeat(254)).repeat(65) + "0\r\n\r\n")),
        ],
    ));
    rows.extend(clause(
        "A chunk that is not followed by CRLF; a bare LF in a chunk line or a trailer",
        CHUNKS,
        vec![
            chunked("5\r\nhello0\r\n\r\n"),
            chunked("5\r\nhello!\r\n0\r\n\r\n"),
            chunked("5\nhello\r\n0\r\n\r\n"),
            chunked("5\r\nhello\n0\r\n\r\n"),
            chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"),
            chunked("5\r\nhello\r\n0\r\nA: b\n\r\n"),
        ],
    ));
    rows.extend(clause(
        "A malformed trailer",
        CHUNKS,
        vec![chunked("5\r\nhello\r\n0\r\nA : b\r\n\r\n"), chunked("5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n")],
    ));
    let trailers =
        |lines: String| Refused { status: 431, ..chunked(&format!("5\r\nhello\r\n0\r\n{lines}\r\n")) };
    rows.extend(clause(
        "Trailers over `header_block_max` or `header_count_max`",
        CHUNKS,
        vec![trailers("A: b\r\n".repeat(101)), trailers(format!("A: {}\r\n", "b".repeat(32 * 1024)))],
    ));
    let large = "x".repeat(usize::try_from(BODY_BYTES_MAX + 1).unwrap());
    rows.extend(clause(
        "A body that passes `body_max` on its way",
        CHUNKS,
        vec![Refused {
            status: 413,
            ..chunked(&format!("{:x}\r\n{large}\r\n0\r\n\r\n", BODY_BYTES_MAX + 1))
        }],
    ));
    rows
}

/// A request that can be written only in HTTP/2.
pub(crate) struct Stream {
    pub clause: &'static str,
    pub asked: Http2Request,
    pub h2: H2,
}

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "http");
const PATH: (&str, &str) = (":path", "/");
const AUTHORITY: (&str, &str) = (":authority", "app.test");

/// The rows of the section that exist only in HTTP/2.
pub(crate) fn streams() -> Vec<Stream> {
    let row = |clause, h2, fields: &[(&str, &str)]| Stream { clause, asked: Http2Request::new(fields), h2 };
    let base = [METHOD, SCHEME, PATH, AUTHORITY];
    let with = |clause, h2, field| row(clause, h2, &[&base[..], &[field]].concat());
    let lengths = "Two Content-Lengths, equal or not";
    let two = |value| [&base[..], &[("content-length", "0"), ("content-length", value)]].concat();
    let differs = "`:authority` that differs from `host`";
    let spaces = "A value that begins or ends with a space or a tab";
    let pseudo = "A missing, repeated or misplaced pseudo-field, `:status` or an unknown pseudo-field";
    vec![
        row(lengths, H2::Status(400), &two("0")),
        row(lengths, MALFORMED, &two("1")),
        with("A Content-Length that differs from the body", MALFORMED, ("content-length", "5")),
        with(differs, H2::Status(400), ("host", "other.test")),
        with(differs, H2::Status(400), ("host", "app.test:81")),
        row(TWO_HOSTS, H2::Status(400), &[METHOD, SCHEME, PATH, ("host", "app.test"), ("host", "app.test")]),
        row(
            TWO_HOSTS,
            H2::Status(400),
            &[METHOD, SCHEME, PATH, AUTHORITY, ("host", "app.test"), ("host", "app.test")],
        ),
        row(BAD_HOST, H2::Status(400), &[METHOD, SCHEME, PATH, ("host", "")]),
        row(BAD_HOST, H2::Status(400), &[METHOD, SCHEME, PATH, ("host", "a/b")]),
        row(CONNECT, H2::Status(405), &[(":method", "CONNECT"), (":authority", "app.test:443")]),
        with(spaces, MALFORMED, ("x-a", " b")),
        with(spaces, MALFORMED, ("x-a", "b\t")),
        with("`te` other than `trailers`", MALFORMED, ("te", "gzip")),
        row(pseudo, MALFORMED, &[METHOD, SCHEME, AUTHORITY]),
        row(pseudo, MALFORMED, &[METHOD, SCHEME, (":path", ""), AUTHORITY]),
        row(pseudo, MALFORMED, &[METHOD, PATH, AUTHORITY]),
        row(pseudo, MALFORMED, &[SCHEME, PATH, AUTHORITY]),
        row(pseudo, MALFORMED, &[METHOD, METHOD, SCHEME, PATH, AUTHORITY]),
        row(pseudo, MALFORMED, &[METHOD, SCHEME, PATH, ("x-a", "b"), AUTHORITY]),
        row(pseudo, MALFORMED, &[METHOD, SCHEME, PATH, AUTHORITY, (":status", "200")]),
        with(pseudo, LOST, (":x", "y")),
        with("An uppercase letter in a name", LOST, ("X-A", "b")),
        with(NAMES, LOST, ("x a", "b")),
        with(NAMES, LOST, ("", "b")),
    ]
}
