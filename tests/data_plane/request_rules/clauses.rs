//! The two sections of docs/http.md, and the rules of its codec, clause by clause, and what shows each: rows
//! of these tables, or tests that need more than one request.

/// What shows a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Rows,
    /// A test by its file in `tests` and its name.
    By(&'static str, &'static str),
}

use Shown::{By, Rows};

/// A clause in the words of the document.
pub(super) type Clause = (&'static str, &'static [Shown]);

pub(super) const REFUSED: &[Clause] = &[
    ("Content-Length with Transfer-Encoding", &[Rows]),
    ("two Content-Lengths, equal or not", &[Rows]),
    ("lists, signs, hex, overflow", &[Rows]),
    ("any Transfer-Encoding but exactly one `chunked` (501)", &[Rows]),
    ("and any on HTTP/1.0", &[Rows]),
    ("obs-fold", &[Rows]),
    ("NUL, bare CR or other control bytes in a field", &[Rows]),
    (
        "malformed chunks (400, the origin request aborted, its connection never reused)",
        &[Rows, By("proxy/failures.rs", "a_malformed_chunk_gets_400_and_aborts_the_origins_request")],
    ),
    ("no Host on 1.1, two, empty or malformed ones", &[Rows]),
    ("absolute-form whose authority differs from Host, or with userinfo", &[Rows]),
    ("`:authority` that differs from `host`", &[Rows]),
    (
        "targets that do not begin with `/` (`OPTIONS *` we answer), with `#` or control bytes",
        &[
            Rows,
            By("request_rules/mod.rs", "options_of_the_server_itself_are_answered_by_us"),
            By("h2/rules.rs", "options_of_the_whole_server_is_ours"),
        ],
    ),
    ("CONNECT and TRACE (405)", &[Rows]),
    ("unknown HTTP versions (505)", &[Rows]),
    ("unknown `Expect` (417)", &[Rows]),
    ("Over the limits: 431, 414, 413", &[Rows, By("h2/rules.rs", "a_body_over_the_limit_is_413")]),
    ("on h2 a refused request is a 400 on its stream", &[Rows]),
    // The codec, precisely.
    ("one SP between the parts of the first line", &[Rows]),
    ("CRLF only, a bare LF is 400, in chunk lines too", &[Rows]),
    ("at most two empty lines before a request", &[Rows]),
    ("method and names are tokens, no space before the colon", &[Rows]),
    ("1 to 16 hex digits; extensions at most 256 B each and 16 KiB a body", &[Rows]),
    (
        "trailers under the limits of a head",
        &[Rows, By("h2/rules.rs", "trailers_that_are_no_trailers_end_the_request")],
    ),
];

pub(super) const FORWARDED: &[Clause] = &[
    ("Hop-by-hop: read the names from every `Connection` line, remove them except a protected set", &[Rows]),
    (
        "remove Connection, Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, TE, Trailer, \
         Transfer-Encoding, Upgrade, HTTP2-Settings",
        &[Rows],
    ),
    (
        "put `trailers` back towards h2",
        &[By("h2/upstream.rs", "grpc_passes_with_its_status_which_the_judge_hears")],
    ),
    ("Responses likewise", &[By("request_rules/mod.rs", "responses_are_normalized")]),
    ("X-Forwarded-For/-Proto/-Host/-Port and Forwarded: overwritten", &[Rows]),
    ("appended only when the peer is in `trusted_proxies`", &[Rows]),
    ("X-Real-IP is ours or absent", &[Rows]),
    ("`X-Request-Id` is kept from a trusted peer, else made", &[Rows]),
    ("The client's Host goes on to the origin", &[Rows]),
    ("`Host`: case, port and one final dot do not matter for routing", &[Rows]),
    ("on h2 `host` may stand alone", &[Rows]),
    (
        "A field name with `_` is dropped only if with `-` in its place it is a name that we set, strip, protect or \
         frame by",
        &[Rows],
    ),
    ("Chunk extensions are dropped", &[Rows]),
    ("Bytes over 0x7F in field values pass", &[Rows]),
    ("fields are forwarded as they are", &[Rows]),
    (
        "raw 8-bit bytes are percent-encoded and pass: curl and browsers send them; other visible ASCII is left as \
         it is",
        &[Rows],
    ),
    ("`Expect` and `chunked` are compared without case", &[Rows]),
    ("Cookie fields of h2 are joined with `; ` before they are counted, and towards h1", &[Rows]),
    (
        "Trailers pass for gRPC and `TE: trailers`, never framing, routing or auth names in them",
        &[
            Rows,
            By("proxy/basics.rs", "trailers_pass_to_those_who_take_them"),
            By("h2/basics.rs", "trailers_pass_both_ways"),
        ],
    ),
    (
        "`Expect: 100-continue` is answered by us once the request has a route and an endpoint",
        &[
            By("proxy/basics.rs", "an_expectation_is_answered_once_there_is_an_endpoint"),
            By("h2/rules.rs", "an_expectation_is_met_by_us"),
        ],
    ),
    (
        "103 from an origin passes, 100 and others are dropped; more than 16 -> 502",
        &[
            By("proxy/basics.rs", "early_hints_pass_and_other_interim_answers_do_not"),
            By("proxy/failures.rs", "more_than_sixteen_interim_answers_are_too_many"),
            By("h2/basics.rs", "interim_heads_pass"),
        ],
    ),
    (
        "Upgrade: tunnel only after a 101 to a request that asked for that protocol, never with a body",
        &[
            By("proxy/basics.rs", "a_tunnel_passes_bytes_both_ways_after_an_upgrade"),
            By("proxy/upgrades.rs", "an_upgrade_that_is_not_granted_is_a_plain_request"),
        ],
    ),
    ("`Upgrade: h2c` (curl, Java) is stripped and the request forwarded as a plain one", &[Rows]),
    ("A 101 nobody asked for -> 502", &[By("proxy/lying.rs", "a_101_that_nobody_asked_for_is_refused")]),
    ("WebSocket over h2 (RFC 8441) too", &[By("h2/tunnels.rs", "a_tunnel_reaches_an_origin_of_http1")]),
    (
        "HTTP/1.0 clients are served and never sent chunks",
        &[Rows, By("proxy/basics.rs", "old_clients_get_no_chunks")],
    ),
    ("A client that half-closes after its request still gets its answer", &[Rows]),
    ("Neither length nor chunked: no body, whatever the method", &[Rows]),
    ("GET, HEAD, DELETE with a framed body pass with it", &[Rows]),
    // Clauses of the first section that have a right side too.
    ("absolute-form whose authority differs from Host, or with userinfo", &[Rows]),
    ("at most two empty lines before a request", &[Rows]),
    ("method and names are tokens, no space before the colon", &[Rows]),
    ("`:authority` that differs from `host`", &[Rows]),
    ("targets that do not begin with `/` (`OPTIONS *` we answer), with `#` or control bytes", &[Rows]),
];

/// Every clause has its row or its test, and no row is of a clause that the document does not have.
pub(super) fn check(section: &[Clause], rows: &[&'static str]) {
    for (clause, shown) in section {
        for by in *shown {
            match by {
                Rows => assert!(rows.contains(clause), "no row of {clause:?}"),
                By(file, name) => {
                    let path = format!("{}/tests/data_plane/{file}", env!("CARGO_MANIFEST_DIR"));
                    let source = std::fs::read_to_string(&path).unwrap();
                    assert!(source.contains(&format!("fn {name}()")), "{path} has no {name}");
                }
            }
        }
    }
    for row in rows {
        assert!(section.iter().any(|(clause, _)| clause == row), "{row:?} is no clause");
    }
}
