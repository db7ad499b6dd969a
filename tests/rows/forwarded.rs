//! "Requests we forward, normalised" of FRONT-DOOR.md, a row or more for each of its clauses.

/// A request, and what the origin must see of it.
pub struct Forwarded {
    pub raw: Vec<u8>,
    /// The origin's request line.
    pub line: &'static str,
    /// Whole field lines that the origin must see.
    pub has: &'static [&'static str],
    /// Texts that must not be in the origin's head, without regard to case.
    pub lacks: &'static [&'static str],
    /// The body, whatever its framing.
    pub body: &'static str,
    /// Whether the client may go on with its connection.
    pub keeps: bool,
}

impl Forwarded {
    fn new(raw: impl Into<Vec<u8>>) -> Self {
        Self { raw: raw.into(), line: "GET / HTTP/1.1", has: &[], lacks: &[], body: "", keeps: true }
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
}

pub fn rows() -> Vec<Forwarded> {
    let mut rows = connection_fields();
    rows.extend(forwarding_fields());
    rows.extend(names_and_values());
    rows.extend(targets());
    rows.extend(bodies());
    rows.extend(old_clients());
    rows
}

fn connection_fields() -> Vec<Forwarded> {
    let gone: &[&str] =
        &["x-a", "connection", "keep-alive", "proxy-", "te:", "trailer", "upgrade", "http2-settings"];
    let lacks = |fields: &str| Forwarded { lacks: gone, ..Forwarded::get(fields) };
    vec![
        lacks("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"),
        lacks(
            "Proxy-Connection: keep-alive\r\nProxy-Authenticate: Basic\r\nProxy-Authorization: Basic eA==\r\n",
        ),
        lacks("TE: trailers\r\nTrailer: Expires\r\n"),
        lacks("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
        lacks("Connection: x-a\r\nX-A: 1\r\nConnection: , X-a\r\nx-a: 2\r\n"),
        Forwarded {
            has: &["Authorization: a", "Cookie: b", "Via: c", "Traceparent: d", "X-Forwarded-For: 127.0.0.1"],
            ..Forwarded::get(
                "Connection: host, authorization, cookie, forwarded, x-forwarded-for, via, traceparent\r\n\
                 Authorization: a\r\nCookie: b\r\nVia: c\r\nTraceparent: d\r\n",
            )
        },
        Forwarded { keeps: false, lacks: &["connection"], ..Forwarded::get("Connection: close\r\n") },
    ]
}

fn forwarding_fields() -> Vec<Forwarded> {
    vec![
        Forwarded {
            has: &["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: app.test", "X-Real-IP: 127.0.0.1"],
            lacks: &["evil"],
            ..Forwarded::get(
                "X-Forwarded-For: evil\r\nx-forwarded-for: evil\r\nX-Forwarded-Proto: evil\r\n\
                 X-Forwarded-Host: evil\r\nX-Forwarded-Port: evil\r\nForwarded: for=evil\r\nX-Real-IP: evil\r\n\
                 X-Request-Id: evil\r\n",
            )
        },
        Forwarded {
            lacks: &["evil"],
            ..Forwarded::get(
                "X_Forwarded_For: evil\r\nX-Forwarded_Proto: evil\r\nX_Real_IP: evil\r\nContent_Length: evil\r\n\
                 Transfer_Encoding: evil\r\nX_Request_Id: evil\r\n",
            )
        },
        Forwarded {
            has: &["grpc_timeout: 1", "X_Custom: 2"],
            ..Forwarded::get("grpc_timeout: 1\r\nX_Custom: 2\r\n")
        },
    ]
}

fn names_and_values() -> Vec<Forwarded> {
    vec![
        Forwarded {
            has: &["Host: App.Test:8080"],
            ..Forwarded::new("GET / HTTP/1.1\r\nhOST: App.Test:8080\r\n\r\n")
        },
        Forwarded {
            has: &["Host: app.test."],
            ..Forwarded::new("GET / HTTP/1.1\r\nHost: app.test.\r\n\r\n")
        },
        Forwarded { has: &["A: b\tc"], ..Forwarded::get("A: \t b\tc \r\n") },
        Forwarded { has: &["A: 1", "A: 2"], ..Forwarded::get("A: 1\r\nA: 2\r\n") },
        Forwarded::new("\r\n\r\nGET / HTTP/1.1\r\nHost: app.test\r\n\r\n"),
    ]
}

fn targets() -> Vec<Forwarded> {
    let line = |line, raw: &[u8]| Forwarded { line, ..Forwarded::new(raw) };
    vec![
        line("GET /a?b=c HTTP/1.1", b"GET http://app.test/a?b=c HTTP/1.1\r\nHost: app.test\r\n\r\n"),
        line("GET /?q HTTP/1.1", b"GET http://app.test?q HTTP/1.1\r\nHost: app.test\r\n\r\n"),
        line("GET /%FC%20 HTTP/1.1", b"GET /\xfc%20 HTTP/1.1\r\nHost: app.test\r\n\r\n"),
        line("GET /../a//b/./%2e%2E HTTP/1.1", b"GET /../a//b/./%2e%2E HTTP/1.1\r\nHost: app.test\r\n\r\n"),
        line("GET /[]{}|\\^`\"<> HTTP/1.1", b"GET /[]{}|\\^`\"<> HTTP/1.1\r\nHost: app.test\r\n\r\n"),
        line("PURGE /x HTTP/1.1", b"PURGE /x HTTP/1.1\r\nHost: app.test\r\n\r\n"),
    ]
}

fn bodies() -> Vec<Forwarded> {
    let body = |raw: &str| Forwarded { body: "hello", ..Forwarded::post(raw) };
    vec![
        Forwarded { has: &["Content-Length: 5"], ..body("Content-Length: 5\r\n\r\nhello") },
        Forwarded { has: &["Content-Length: 5"], ..body("content-length: 005\r\n\r\nhello") },
        Forwarded {
            has: &["Transfer-Encoding: chunked"],
            ..body("Transfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n0003\r\nllo\r\n0\r\n\r\n")
        },
        Forwarded {
            lacks: &["ext", "x-trailer"],
            ..body("Transfer-Encoding: chunked\r\n\r\n5;ext=\"a\"\r\nhello\r\n0;ext\r\nX-Trailer: a\r\n\r\n")
        },
        Forwarded { lacks: &["expect"], ..body("Expect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello") },
        Forwarded::post("\r\n"),
        Forwarded { has: &["Content-Length: 0"], ..Forwarded::post("Content-Length: 0\r\n\r\n") },
        Forwarded {
            body: "hello",
            has: &["Content-Length: 5"],
            ..Forwarded::get("Content-Length: 5\r\n\r\nhello").without_end()
        },
    ]
}

fn old_clients() -> Vec<Forwarded> {
    let old = |raw: &str| Forwarded { keeps: false, ..Forwarded::new(raw) };
    vec![
        Forwarded { lacks: &["connection"], ..old("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n") },
        Forwarded {
            keeps: true,
            ..old("GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n")
        },
        Forwarded { lacks: &["expect"], ..old("GET / HTTP/1.0\r\nHost: app.test\r\nExpect: x\r\n\r\n") },
        Forwarded { has: &["Host: app.test"], ..old("GET http://app.test/ HTTP/1.0\r\n\r\n") },
    ]
}

impl Forwarded {
    /// [`Self::get`] ends a head; what was given to it had an end already.
    fn without_end(mut self) -> Self {
        self.raw.truncate(self.raw.len() - 2);
        self
    }
}
