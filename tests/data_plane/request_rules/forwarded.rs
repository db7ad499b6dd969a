//! "Requests we forward, normalized" of docs/http.md, a row or more for each of its clauses.

use super::meaning::{Asked, H2, PROTOCOL_ERROR};

/// A request, and what the origin must see of it.
#[derive(Clone)]
pub(crate) struct Forwarded {
    /// The words of the document.
    pub clause: &'static str,
    pub raw: Vec<u8>,
    /// The origin's request line.
    pub line: &'static str,
    /// Whole field lines that the origin must see. Over HTTP/2 names are in lower case where they are the
    /// client's own.
    pub has: &'static [&'static str],
    /// Texts that must not be in the origin's head, without regard to case.
    pub lacks: &'static [&'static str],
    /// The body, whatever its framing.
    pub body: &'static str,
    /// The trailers behind it, as lines.
    pub trailers: &'static str,
    /// Whether the client may go on with its connection.
    pub keeps: bool,
    /// The client ends its side behind the request.
    pub half_closes: bool,
    /// The client is one of `trusted_proxies`.
    pub trusted: bool,
    pub h2: H2,
}

/// What names the connection's own fields is malformed in HTTP/2 (RFC 9113, 8.2.2).
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

const NAMED: &str =
    "Hop-by-hop: read the names from every `Connection` line, remove them except a protected set";
const HOP_BY_HOP: &str = "remove Connection, Keep-Alive, Proxy-Connection, Proxy-Authenticate, \
                          Proxy-Authorization, TE, Trailer, Transfer-Encoding, Upgrade, HTTP2-Settings";

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
            lacks("TE: trailers\r\nTrailer: Expires\r\n"),
            lacks("HTTP2-Settings: AAMAAABk\r\n"),
            Forwarded { keeps: false, ..Forwarded::get("Connection: close\r\n").lacks(&["connection"]) }
                .over_h2(MALFORMED),
        ],
    );
    rows.extend(clause(
        "`Upgrade: h2c` (curl, Java) is stripped and the request forwarded as a plain one",
        vec![
            lacks("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")
                .over_h2(MALFORMED),
        ],
    ));
    rows.extend(clause(
        NAMED,
        vec![
            lacks("Connection: x-a\r\nX-A: 1\r\nConnection: , X-a\r\nx-a: 2\r\n").over_h2(MALFORMED),
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
        "X-Forwarded-For/-Proto/-Host/-Port and Forwarded: overwritten",
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
        "appended only when the peer is in `trusted_proxies`",
        vec![trusted().has(&[
            "X-Forwarded-For: 192.0.2.1, 127.0.0.1",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Prefix: /shop",
        ])],
    ));
    rows.extend(clause("X-Real-IP is ours or absent", vec![trusted().has(&["X-Real-IP: 192.0.2.1"])]));
    rows.extend(clause(
        "`X-Request-Id` is kept from a trusted peer, else made",
        vec![trusted().has(&["X-Request-Id: mine"])],
    ));
    rows.extend(clause(
        "A field name with `_` is dropped only if with `-` in its place it is a name that we set, strip, protect or \
         frame by",
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
        "The client's Host goes on to the origin",
        vec![of("GET / HTTP/1.1\r\nhOST: App.Test:8080\r\n\r\n").has(&["Host: App.Test:8080"])],
    );
    rows.extend(clause(
        "`Host`: case, port and one final dot do not matter for routing",
        vec![of("GET / HTTP/1.1\r\nHost: app.test.\r\n\r\n").has(&["Host: app.test."])],
    ));
    rows.extend(clause(
        "Bytes over 0x7F in field values pass",
        vec![Forwarded::get("A: b\u{fc}c\r\nB: \u{20ac}\r\n").has(&["A: b\u{fc}c", "B: \u{20ac}"])],
    ));
    rows.extend(clause(
        "fields are forwarded as they are",
        vec![
            Forwarded::get("A: \t b\tc \r\n").has(&["A: b\tc"]),
            Forwarded::get("A: 1\r\nA: 2\r\n").has(&["A: 1", "A: 2"]),
        ],
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
        "absolute-form whose authority differs from Host, or with userinfo",
        vec![
            line("GET /a?b=c HTTP/1.1", b"GET http://app.test/a?b=c HTTP/1.1\r\nHost: app.test\r\n\r\n")
                .over_h2(absolute),
            line("GET /?q HTTP/1.1", b"GET http://app.test?q HTTP/1.1\r\nHost: app.test\r\n\r\n")
                .over_h2(absolute),
        ],
    );
    rows.extend(clause(
        "raw 8-bit bytes are percent-encoded and pass: curl and browsers send them; other visible ASCII is left as \
         it is",
        vec![
            line("GET /%C3%BC%20 HTTP/1.1", "GET /\u{fc}%20 HTTP/1.1\r\nHost: app.test\r\n\r\n".as_bytes()),
            // Latin-1 is no UTF-8, which h2 wants of a path; nor does it take what no URI may have.
            line("GET /%FC%20 HTTP/1.1", b"GET /\xfc%20 HTTP/1.1\r\nHost: app.test\r\n\r\n")
                .over_h2(H2::Goaway(PROTOCOL_ERROR)),
            line(
                "GET /../a//b/./%2e%2E HTTP/1.1",
                b"GET /../a//b/./%2e%2E HTTP/1.1\r\nHost: app.test\r\n\r\n",
            ),
            line("GET /[]{}|\\^\" HTTP/1.1", b"GET /[]{}|\\^\" HTTP/1.1\r\nHost: app.test\r\n\r\n"),
            line("GET /`<> HTTP/1.1", b"GET /`<> HTTP/1.1\r\nHost: app.test\r\n\r\n").over_h2(MALFORMED),
        ],
    ));
    rows.extend(clause(
        "method and names are tokens, no space before the colon",
        vec![line("PURGE /x HTTP/1.1", b"PURGE /x HTTP/1.1\r\nHost: app.test\r\n\r\n")],
    ));
    rows
}

fn bodies() -> Vec<Forwarded> {
    let body = |raw: &str| Forwarded { body: "hello", ..Forwarded::post(raw) };
    let mut rows = clause(
        "Neither length nor chunked: no body, whatever the method",
        vec![
            Forwarded::post("\r\n"),
            Forwarded::post("Content-Length: 0\r\n\r\n").has(&["Content-Length: 0"]),
            body("Content-Length: 5\r\n\r\nhello").has(&["Content-Length: 5"]),
            body("content-length: 005\r\n\r\nhello").has(&["Content-Length: 5"]),
        ],
    );
    rows.extend(clause(
        "GET, HEAD, DELETE with a framed body pass with it",
        vec![
            Forwarded { body: "hello", ..Forwarded::get("Content-Length: 5\r\n\r\nhello").without_end() }
                .has(&["Content-Length: 5"]),
        ],
    ));
    rows.extend(clause(
        "`Expect` and `chunked` are compared without case",
        vec![
            body("Transfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n0003\r\nllo\r\n0\r\n\r\n")
                .has(&["Transfer-Encoding: chunked"])
                .over_h2(MALFORMED),
            body("Expect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello").lacks(&["expect"]),
        ],
    ));
    rows.extend(clause(
        "Chunk extensions are dropped",
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
        "HTTP/1.0 clients are served and never sent chunks",
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
        "A client that half-closes after its request still gets its answer",
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
    /// [`Self::get`] ends a head; what was given to it had an end already.
    fn without_end(mut self) -> Self {
        self.raw.truncate(self.raw.len() - 2);
        self
    }
}

/// What HTTP/2 adds to the section.
pub(crate) fn streams() -> Vec<(Asked, Forwarded)> {
    let base = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "app.test")];
    let with = |fields: &[(&str, &str)]| Asked::new(&[&base, fields].concat());
    let row = |clause| Forwarded { clause, ..Forwarded::new("") };
    let cookies = "Cookie fields of h2 are joined with `; ` before they are counted, and towards h1";
    let many: Vec<(&str, &str)> = vec![("cookie", "c=1"); 120];
    let post = [(":method", "POST"), (":scheme", "http"), (":path", "/p"), (":authority", "app.test")];
    let upload =
        |more: &[(&str, &str)]| Asked { body: b"hello".to_vec(), ..Asked::new(&[&post, more].concat()) };
    let sent = |clause| Forwarded { line: "POST /p HTTP/1.1", body: "hello", ..row(clause) };
    let trailers = vec![
        ("x-sum".to_owned(), b"7".to_vec()),
        ("host".to_owned(), b"evil".to_vec()),
        ("authorization".to_owned(), b"evil".to_vec()),
    ];
    let target = "targets that do not begin with `/` (`OPTIONS *` we answer), with `#` or control bytes";
    vec![
        (
            Asked::new(&[base[0], base[1], (":path", "/a#b"), base[3]]),
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
            Asked::new(&[base[0], base[1], base[2], ("host", "app.test")]),
            row("on h2 `host` may stand alone").has(&["host: app.test"]),
        ),
        (
            upload(&[]),
            sent("Neither length nor chunked: no body, whatever the method")
                .has(&["Transfer-Encoding: chunked"]),
        ),
        (
            Asked { trailers, ..upload(&[("te", "trailers")]) },
            Forwarded {
                trailers: "x-sum: 7\r\n",
                ..sent(
                    "Trailers pass for gRPC and `TE: trailers`, never framing, routing or auth names in them",
                )
            },
        ),
    ]
}
