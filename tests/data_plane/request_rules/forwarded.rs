//! Rows for docs/http.md, "Requests that are forwarded". Each clause has one row or more.

use super::meaning::{H2, Http2Request, PROTOCOL_ERROR};

/// A request that the door forwards, and the form in which the origin must get it.
#[derive(Clone)]
pub(crate) struct Forwarded {
    /// The words of the document that this row shows.
    pub clause: &'static str,
    /// The request in HTTP/1.1. [`Http2Request::translated`] makes the same request of HTTP/2 from it.
    pub raw: Vec<u8>,
    /// The first line that the origin must get.
    pub line: &'static str,
    /// Whole field lines that the origin must get. The case of their names does not matter.
    pub has: &'static [&'static str],
    /// Texts in lower case that the origin's head must not hold, in any case of letters.
    pub lacks: &'static [&'static str],
    /// The body that the origin must get, without its framing.
    pub body: &'static str,
    /// The trailer lines that the origin must get behind the body.
    pub trailers: &'static str,
    /// Whether the connection of the client stays open for another request.
    pub keeps: bool,
    /// The client ends its side behind the request.
    pub half_closes: bool,
    /// The client is one of `trusted_proxies`.
    pub trusted: bool,
    /// The end of the same request over HTTP/2.
    pub h2: H2,
}

/// A request with connection fields is malformed in HTTP/2 (RFC 9113, 8.2.2).
const MALFORMED: H2 = H2::Reset(PROTOCOL_ERROR);
const LINES: H2 = H2::Nothing("there are no lines");
const VERSIONS: H2 = H2::Nothing("there is one version");

impl Forwarded {
    fn new(raw: impl Into<Vec<u8>>) -> Self {
        Self {
            clause: "",
            raw: raw.into(),
            line: "GET / HTTP/1.1",
            has: &[],
            lacks: &[],
            body: "",
            trailers: "",
            keeps: true,
            half_closes: false,
            trusted: false,
            h2: H2::Passes,
        }
    }

    fn get(fields: &str) -> Self {
        Self::new(format!("GET / HTTP/1.1\r\nHost: app.test\r\n{fields}\r\n"))
    }

    fn post(rest: &str) -> Self {
        Self {
            line: "POST /p HTTP/1.1",
            ..Self::new(format!("POST /p HTTP/1.1\r\nHost: app.test\r\n{rest}"))
        }
    }

    fn lacks(self, lacks: &'static [&'static str]) -> Self {
        Self { lacks, ..self }
    }

    fn has(self, has: &'static [&'static str]) -> Self {
        Self { has, ..self }
    }

    fn over_h2(self, h2: H2) -> Self {
        Self { h2, ..self }
    }
}

fn clause(clause: &'static str, rows: Vec<Forwarded>) -> Vec<Forwarded> {
    rows.into_iter().map(|row| Forwarded { clause, ..row }).collect()
}

pub(crate) fn rows() -> Vec<Forwarded> {
    let mut rows = connection_fields();
    rows.extend(forwarding_fields());
    rows.extend(names_and_values());
    rows.extend(targets());
    rows.extend(bodies());
    rows.extend(old_clients());
    rows
}

const HOP_BY_HOP: &str = "Connection, Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, \
                          Trailer, Transfer-Encoding, Upgrade, HTTP2-Settings";
const TE: &str = "TE | removed; `TE: trailers` is put back towards an HTTP/2 origin if the client takes trailers or \
                  the request is gRPC";
/// A request of HTTP/2 without a length becomes a chunked one, so this clause has a row in [`streams`] too.
const CHUNKED: &str = "Chunked bodies | chunked anew; chunk extensions are dropped";

fn connection_fields() -> Vec<Forwarded> {
    let gone: &[&str] =
        &["x-a", "connection", "keep-alive", "proxy-", "te:", "trailer", "upgrade", "http2-settings"];
    let lacks = |fields: &str| Forwarded::get(fields).lacks(gone);
    let mut rows = clause(
        HOP_BY_HOP,
        vec![
            lacks("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n").over_h2(MALFORMED),
            lacks(
                "Proxy-Connection: keep-alive\r\nProxy-Authenticate: Basic\r\nProxy-Authorization: Basic eA==\r\n",
            )
            .over_h2(MALFORMED),
            lacks("Proxy-Authenticate: Basic\r\nProxy-Authorization: Basic eA==\r\n"),
            lacks("HTTP2-Settings: AAMAAABk\r\n"),
            Forwarded { keeps: false, ..Forwarded::get("Connection: close\r\n").lacks(&["connection"]) }
                .over_h2(MALFORMED),
        ],
    );
    rows.extend(clause(TE, vec![lacks("TE: trailers\r\nTrailer: Expires\r\n")]));
    rows.extend(clause(
        "`h2c`, `h2`, `tls` and `http` are removed; a request with no other protocol is a plain one.",
        vec![
            lacks("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")
                .over_h2(MALFORMED),
        ],
    ));
    rows.extend(clause(
        "Each name in any `Connection` line",
        vec![lacks("Connection: x-a\r\nX-A: 1\r\nConnection: , X-a\r\nx-a: 2\r\n").over_h2(MALFORMED)],
    ));
    rows.extend(clause(
        "A client can't remove these by naming them in `Connection`",
        vec![
            Forwarded::get(
                "Connection: host, authorization, cookie, forwarded, x-forwarded-for, via, traceparent\r\n\
                 Authorization: a\r\nCookie: b\r\nVia: c\r\nTraceparent: d\r\n",
            )
            .has(&["Authorization: a", "Cookie: b", "Via: c", "Traceparent: d", "X-Forwarded-For: 127.0.0.1"])
            .over_h2(MALFORMED),
            Forwarded {
                body: "hello",
                ..Forwarded::post("Connection: content-length\r\nContent-Length: 5\r\n\r\nhello")
            }
            .has(&["Content-Length: 5"])
            .over_h2(MALFORMED),
        ],
    ));
    rows
}

fn forwarding_fields() -> Vec<Forwarded> {
    let said = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: app.test\r\n\
                X-Forwarded-Port: 8443\r\nX-Forwarded-Prefix: /shop\r\nX-Request-Id: mine\r\n";
    let mut rows = clause(
        "X-Forwarded-For | overwritten with the peer's address",
        vec![
            Forwarded::get(
                "X-Forwarded-For: evil\r\nx-forwarded-for: evil\r\nX-Forwarded-Proto: evil\r\n\
                 X-Forwarded-Host: evil\r\nX-Forwarded-Port: evil\r\nForwarded: for=evil\r\nX-Real-IP: evil\r\n\
                 X-Request-Id: evil\r\nX-Forwarded-Prefix: evil\r\nX-Forwarded-Ssl: evil\r\n\
                 X-Forwarded-Server: evil\r\nX-Forwarded-User: evil\r\n",
            )
            .has(&["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: app.test", "X-Real-IP: 127.0.0.1"])
            .lacks(&["evil"]),
            Forwarded::get(said)
                .has(&["X-Forwarded-For: 127.0.0.1"])
                .lacks(&["192.0.2.1", "port: 8443", "/shop", "mine"]),
        ],
    );
    let trusted = || Forwarded { trusted: true, ..Forwarded::get(said) };
    rows.extend(clause(
        "The door joins all lines with `, ` and appends the peer's address.",
        vec![trusted().has(&[
            "X-Forwarded-For: 192.0.2.1, 127.0.0.1",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Prefix: /shop",
        ])],
    ));
    rows.extend(clause(
        "X-Real-IP | always the client's address as the door knows it",
        vec![trusted().has(&["X-Real-IP: 192.0.2.1"])],
    ));
    rows.extend(clause(
        "kept if it is one line of 1 to 128 bytes of visible ASCII, else 32 random hex digits",
        vec![trusted().has(&["X-Request-Id: mine"])],
    ));
    rows.extend(clause(
        "A name with `_` that, with `-` in its place, is a name the door sets, removes, protects or frames by",
        vec![
            Forwarded::get(
                "X_Forwarded_For: evil\r\nX-Forwarded_Proto: evil\r\nX_Real_IP: evil\r\nContent_Length: evil\r\n\
                 Transfer_Encoding: evil\r\nX_Request_Id: evil\r\n",
            )
            .lacks(&["evil"]),
            Forwarded::get("grpc_timeout: 1\r\nX_Custom: 2\r\n").has(&["grpc_timeout: 1", "X_Custom: 2"]),
        ],
    ));
    rows
}

fn names_and_values() -> Vec<Forwarded> {
    let of = |raw: &str| Forwarded::new(raw);
    let mut rows = clause(
        "The origin gets the Host (or `:authority`) as the client sent it.",
        vec![of("GET / HTTP/1.1\r\nhOST: App.Test:8080\r\n\r\n").has(&["Host: App.Test:8080"])],
    );
    rows.extend(clause(
        "It ignores the case of the host, the port and one final dot.",
        vec![of("GET / HTTP/1.1\r\nHost: app.test.\r\n\r\n").has(&["Host: app.test."])],
    ));
    rows.extend(clause(
        "Bytes over 0x7F in a value | pass",
        vec![Forwarded::get("A: b\u{fc}c\r\nB: \u{20ac}\r\n").has(&["A: b\u{fc}c", "B: \u{20ac}"])],
    ));
    rows.extend(clause(
        "Leading and trailing whitespace of a value | removed",
        vec![Forwarded::get("A: \t b\tc \r\n").has(&["A: b\tc"])],
    ));
    rows.extend(clause(
        "It keeps the order of the fields and the case of their names.",
        vec![Forwarded::get("A: 1\r\nA: 2\r\n").has(&["A: 1", "A: 2"])],
    ));
    rows.extend(clause(
        "at most two empty lines before a request",
        vec![of("\r\n\r\nGET / HTTP/1.1\r\nHost: app.test\r\n\r\n").over_h2(LINES)],
    ));
    rows
}

fn targets() -> Vec<Forwarded> {
    let line = |line, raw: &[u8]| Forwarded { line, ..Forwarded::new(raw) };
    let absolute = H2::Nothing("the authority has a field of its own");
    let mut rows = clause(
        "An absolute form loses scheme and authority; `/` is put in front if its path is empty or begins with `?`.",
        vec![
            line("GET /a?b=c HTTP/1.1", b"GET http://app.test/a?b=c HTTP/1.1\r\nHost: app.test\r\n\r\n")
                .over_h2(absolute),
            line("GET /?q HTTP/1.1", b"GET http://app.test?q HTTP/1.1\r\nHost: app.test\r\n\r\n")
                .over_h2(absolute),
        ],
    );
    rows.extend(clause(
        "Bytes over 0x7F in the target | percent-encoded.",
        vec![
            line("GET /%C3%BC%20 HTTP/1.1", "GET /\u{fc}%20 HTTP/1.1\r\nHost: app.test\r\n\r\n".as_bytes()),
            // `h2` refuses a path that is not UTF-8, such as one in Latin-1.
            line("GET /%FC%20 HTTP/1.1", b"GET /\xfc%20 HTTP/1.1\r\nHost: app.test\r\n\r\n")
                .over_h2(H2::Goaway(PROTOCOL_ERROR)),
        ],
    ));
    rows.extend(clause(
        "Other visible ASCII in the target | unchanged.",
        vec![
            line(
                "GET /../a//b/./%2e%2E HTTP/1.1",
                b"GET /../a//b/./%2e%2E HTTP/1.1\r\nHost: app.test\r\n\r\n",
            ),
            line("GET /[]{}|\\^\" HTTP/1.1", b"GET /[]{}|\\^\" HTTP/1.1\r\nHost: app.test\r\n\r\n"),
            // `h2` refuses these bytes in a path, because they are illegal in a URI.
            line("GET /`<> HTTP/1.1", b"GET /`<> HTTP/1.1\r\nHost: app.test\r\n\r\n").over_h2(MALFORMED),
        ],
    ));
    rows.extend(clause(
        "Methods and field names are tokens (RFC 9110, 5.6.2).",
        vec![line("PURGE /x HTTP/1.1", b"PURGE /x HTTP/1.1\r\nHost: app.test\r\n\r\n")],
    ));
    rows
}

fn bodies() -> Vec<Forwarded> {
    let body = |raw: &str| Forwarded { body: "hello", ..Forwarded::post(raw) };
    let mut rows = clause(
        "Neither Content-Length nor chunked | no body, for every method",
        vec![Forwarded::post("\r\n")],
    );
    rows.extend(clause(
        "Content-Length | written anew in its plain decimal form",
        vec![
            Forwarded::post("Content-Length: 0\r\n\r\n").has(&["Content-Length: 0"]),
            body("Content-Length: 5\r\n\r\nhello").has(&["Content-Length: 5"]),
            body("content-length: 005\r\n\r\nhello").has(&["Content-Length: 5"]),
        ],
    ));
    rows.extend(clause(
        "GET, HEAD and DELETE with a body | The body passes.",
        vec![
            Forwarded { body: "hello", ..Forwarded::get("Content-Length: 5\r\n\r\nhello").without_end() }
                .has(&["Content-Length: 5"]),
        ],
    ));
    rows.extend(clause(
        "`Expect` and `chunked` are compared without case.",
        vec![
            body("Transfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n0003\r\nllo\r\n0\r\n\r\n")
                .has(&["Transfer-Encoding: chunked"])
                .over_h2(MALFORMED),
            body("Expect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello").lacks(&["expect"]),
        ],
    ));
    rows.extend(clause(
        CHUNKED,
        vec![
            body("Transfer-Encoding: chunked\r\n\r\n5;ext=\"a\"\r\nhello\r\n0;ext\r\nX-Trailer: a\r\n\r\n")
                .lacks(&["ext", "x-trailer"])
                .over_h2(MALFORMED),
        ],
    ));
    rows
}

fn old_clients() -> Vec<Forwarded> {
    let old = |raw: &str| Forwarded { keeps: false, ..Forwarded::new(raw) }.over_h2(VERSIONS);
    let mut rows = clause(
        "The door serves them and never sends them chunks.",
        vec![
            old("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n").lacks(&["connection"]),
            Forwarded {
                keeps: true,
                ..old("GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n")
            },
            old("GET / HTTP/1.0\r\nHost: app.test\r\nExpect: x\r\n\r\n").lacks(&["expect"]),
            old("GET http://app.test/ HTTP/1.0\r\n\r\n").has(&["Host: app.test"]),
        ],
    );
    let half = |raw: &str| Forwarded {
        keeps: false,
        half_closes: true,
        ..Forwarded::new(raw).over_h2(H2::Nothing("END_STREAM is the end of every request"))
    };
    rows.extend(clause(
        "A client may half-close after its request and still gets its answer.",
        vec![
            half("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n"),
            half("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n"),
            Forwarded {
                line: "POST /p HTTP/1.1",
                body: "hello",
                ..half("POST /p HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello")
            },
        ],
    ));
    rows
}

impl Forwarded {
    /// Removes the empty line that [`Self::get`] has added, for a text that already ends its head.
    fn without_end(mut self) -> Self {
        self.raw.truncate(self.raw.len() - 2);
        self
    }
}

/// The rows of the section that exist only in HTTP/2.
pub(crate) fn streams() -> Vec<(Http2Request, Forwarded)> {
    let base = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "app.test")];
    let with = |fields: &[(&str, &str)]| Http2Request::new(&[&base, fields].concat());
    let row = |clause| Forwarded { clause, ..Forwarded::new("") };
    let cookies =
        "Cookie fields of HTTP/2 | joined with `; ` before they are counted, and sent on as one field";
    let many: Vec<(&str, &str)> = vec![("cookie", "c=1"); 120];
    let post = [(":method", "POST"), (":scheme", "http"), (":path", "/p"), (":authority", "app.test")];
    let upload = |more: &[(&str, &str)]| Http2Request {
        body: b"hello".to_vec(),
        ..Http2Request::new(&[&post, more].concat())
    };
    let sent = |clause| Forwarded { line: "POST /p HTTP/1.1", body: "hello", ..row(clause) };
    let trailers = vec![
        ("x-sum".to_owned(), b"7".to_vec()),
        ("host".to_owned(), b"evil".to_vec()),
        ("authorization".to_owned(), b"evil".to_vec()),
    ];
    let target = "The door routes by the rest, and the origin gets the same rest.";
    vec![
        (
            Http2Request::new(&[base[0], base[1], (":path", "/a#b"), base[3]]),
            Forwarded { line: "GET /a HTTP/1.1", ..row(target) },
        ),
        (
            with(&[("cookie", "a=1"), ("x-a", "b"), ("cookie", "c=2")]),
            row(cookies).has(&["cookie: a=1; c=2", "x-a: b"]),
        ),
        (with(&many), row(cookies)),
        (
            with(&[("host", "APP.test.:80")]),
            row("`:authority` that differs from `host`").has(&["host: APP.test.:80"]),
        ),
        (
            Http2Request::new(&[base[0], base[1], base[2], ("host", "app.test")]),
            row("`host` may stand alone").has(&["host: app.test"]),
        ),
        (upload(&[]), sent(CHUNKED).has(&["Transfer-Encoding: chunked"])),
        (
            Http2Request { trailers, ..upload(&[("te", "trailers")]) },
            Forwarded {
                trailers: "x-sum: 7\r\n",
                ..sent(
                    "Trailers pass, in both directions, for a gRPC request (`content-type: application/grpc*`) \
                     and for a request with `TE: trailers`.",
                )
            },
        ),
    ]
}
