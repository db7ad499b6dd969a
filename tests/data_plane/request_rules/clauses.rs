//! The clauses of docs/http.md about requests, and the rows or tests that show each of them. A test shows a
//! clause that needs more than one request.

/// How a clause is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// By at least one row.
    Rows,
    /// By a test. The fields are its file in `tests/data_plane` and its name.
    By(&'static str, &'static str),
}

use Shown::{By, Rows};

/// A clause in the words of docs/http.md, and how it is shown.
pub(super) type Clause = (&'static str, &'static [Shown]);

pub(super) const REFUSED: &[Clause] = &[
    (
        "the same status on the stream, unless the table names a reset or a GOAWAY",
        &[By("h2/rules.rs", "other_refusals_have_their_own_status")],
    ),
    // "Refused by its framing".
    ("Content-Length with Transfer-Encoding", &[Rows]),
    ("Two Content-Lengths, equal or not", &[Rows]),
    ("A Content-Length that is a list, has a sign, a space or hex digits, or is over 2^63 − 1", &[Rows]),
    ("An empty Content-Length", &[Rows]),
    ("A Content-Length that differs from the body", &[Rows]),
    ("Any Transfer-Encoding but exactly one `chunked`", &[Rows]),
    ("Any Transfer-Encoding on HTTP/1.0", &[Rows]),
    // "Refused by its fields".
    ("obs-fold, a line that continues the field before it", &[Rows]),
    ("NUL, a bare CR, another control byte or 0x7F in a value", &[Rows]),
    ("A name that is not a token, an empty name, a space before the colon, a line without a colon", &[Rows]),
    ("An uppercase letter in a name", &[Rows]),
    ("A value that begins or ends with a space or a tab", &[Rows]),
    ("`te` other than `trailers`", &[Rows]),
    ("An unknown `Expect`", &[Rows]),
    // "Refused by its host".
    ("No Host on HTTP/1.1", &[Rows]),
    ("Two Hosts, equal or not", &[Rows]),
    ("An empty or malformed Host", &[Rows]),
    ("Absolute form with an authority that differs from Host, or with userinfo.", &[Rows]),
    ("`:authority` that differs from `host`", &[Rows]),
    // "Refused by its first line".
    ("A target that does not begin with `/` and is not in absolute form", &[Rows]),
    ("A target with `#`", &[Rows]),
    ("A target with a space, a control byte or 0x7F", &[Rows]),
    (
        "`OPTIONS *` | the door answers 200 itself",
        &[
            By("request_rules/mod.rs", "options_of_the_server_itself_are_answered_by_us"),
            By("h2/rules.rs", "the_door_answers_options_of_the_whole_server"),
        ],
    ),
    ("CONNECT and TRACE, in any case of letters", &[Rows]),
    ("A version that is neither 1.0 nor 1.1", &[Rows]),
    ("A method that is not a token", &[Rows]),
    ("Anything but exactly one SP between the parts of the first line", &[Rows]),
    ("A bare LF at any line end", &[Rows]),
    ("More than two empty lines before a request", &[Rows]),
    ("A missing, repeated or misplaced pseudo-field, `:status` or an unknown pseudo-field", &[Rows]),
    // "Refused by a limit".
    ("The header block is over `header_block_max`.", &[Rows]),
    ("More fields than `header_count_max`", &[Rows]),
    ("The target is over `target_max`", &[Rows]),
    ("The told length is over `body_max`", &[Rows, By("h2/rules.rs", "a_body_over_the_limit_is_413")]),
    // "Refused inside its body".
    (
        "The door aborts the request to the origin and never uses that connection again.",
        &[By("proxy/failures.rs", "a_malformed_chunk_gets_400_and_aborts_the_origins_request")],
    ),
    ("A chunk size that is not 1 to 16 hex digits; a sign, `0x` or whitespace around it", &[Rows]),
    ("A chunk extension over 256 bytes, extensions over 16 KiB in one body, a control byte in one", &[Rows]),
    ("A chunk that is not followed by CRLF; a bare LF in a chunk line or a trailer", &[Rows]),
    ("A malformed trailer", &[Rows]),
    (
        "Trailers over `header_block_max` or `header_count_max`",
        &[Rows, By("h2/rules.rs", "trailers_over_the_limits_end_the_request")],
    ),
    ("A body that passes `body_max` on its way", &[Rows, By("h2/rules.rs", "a_body_over_the_limit_is_413")]),
];

pub(super) const FORWARDED: &[Clause] = &[
    // "Routing", and the codec.
    ("It ignores the case of the host, the port and one final dot.", &[Rows]),
    ("at most two empty lines before a request", &[Rows]),
    ("Methods and field names are tokens (RFC 9110, 5.6.2).", &[Rows]),
    // Clauses of the tables of refusals, whose rows here show the requests that are not refused.
    ("`:authority` that differs from `host`", &[Rows]),
    ("`host` may stand alone", &[Rows]),
    ("The door routes by the rest, and the origin gets the same rest.", &[Rows]),
    // "First line and host".
    ("It keeps the order of the fields and the case of their names.", &[Rows]),
    (
        "An absolute form loses scheme and authority; `/` is put in front if its path is empty or begins with `?`.",
        &[Rows],
    ),
    ("Bytes over 0x7F in the target | percent-encoded.", &[Rows]),
    ("Other visible ASCII in the target | unchanged.", &[Rows]),
    (
        "Towards an HTTP/2 origin | `<`, `>`, a backtick, and `\"` in a query are percent-encoded",
        &[By("h2/upstream.rs", "characters_that_are_illegal_in_a_uri_reach_an_http2_origin_encoded")],
    ),
    ("The origin gets the Host (or `:authority`) as the client sent it.", &[Rows]),
    // "Fields that the door removes".
    (
        "Connection, Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, Trailer, \
         Transfer-Encoding, Upgrade, HTTP2-Settings",
        &[Rows],
    ),
    (
        "TE | removed; `TE: trailers` is put back towards an HTTP/2 origin if the client takes trailers or the \
         request is gRPC",
        &[Rows, By("h2/upstream.rs", "grpc_passes_and_its_status_is_evidence")],
    ),
    ("Each name in any `Connection` line", &[Rows]),
    (
        "A name with `_` that, with `-` in its place, is a name the door sets, removes, protects or frames by",
        &[Rows],
    ),
    ("A client can't remove these by naming them in `Connection`", &[Rows]),
    // "Fields that the door writes".
    ("X-Forwarded-For | overwritten with the peer's address", &[Rows]),
    ("The door joins all lines with `, ` and appends the peer's address.", &[Rows]),
    ("X-Real-IP | always the client's address as the door knows it", &[Rows]),
    ("kept if it is one line of 1 to 128 bytes of visible ASCII, else 32 random hex digits", &[Rows]),
    // "Values and bodies".
    ("Bytes over 0x7F in a value | pass", &[Rows]),
    ("Leading and trailing whitespace of a value | removed", &[Rows]),
    ("Content-Length | written anew in its plain decimal form", &[Rows]),
    ("Chunked bodies | chunked anew; chunk extensions are dropped", &[Rows]),
    ("Neither Content-Length nor chunked | no body, for every method", &[Rows]),
    ("GET, HEAD and DELETE with a body | The body passes.", &[Rows]),
    (
        "Cookie fields of HTTP/2 | joined with `; ` before they are counted, and sent on as one field",
        &[Rows, By("h2/rules.rs", "cookies_are_joined_before_they_are_counted")],
    ),
    // "Trailers".
    (
        "Trailers pass, in both directions, for a gRPC request (`content-type: application/grpc*`) and for a \
         request with `TE: trailers`.",
        &[
            Rows,
            By("h2/basics.rs", "trailers_pass_both_ways"),
            By("h2/upstream.rs", "trailers_pass_behind_a_length"),
        ],
    ),
    (
        "The trailers of a request pass to an HTTP/1.1 origin only if the service says `request_trailers = true`",
        &[
            By("proxy/basics.rs", "trailers_of_requests_reach_http1_only_by_order"),
            By("h2/upstream.rs", "trailers_pass_behind_a_length"),
        ],
    ),
    ("The door drops all others.", &[By("proxy/basics.rs", "trailers_pass_to_those_who_take_them")]),
    ("These names never pass in a trailer", &[By("h2/basics.rs", "trailers_pass_both_ways")]),
    // "Expect and interim heads".
    (
        "The door answers `Expect: 100-continue` once it has a connection to an endpoint and no body byte has come, \
         and does not forward the Expect.",
        &[
            By("proxy/basics.rs", "an_expectation_is_answered_once_there_is_an_endpoint"),
            By("h2/rules.rs", "the_door_answers_an_expectation"),
        ],
    ),
    ("`Expect` and `chunked` are compared without case.", &[Rows]),
    // "HTTP/1.0 clients" and "Clients that end their side".
    (
        "The door serves them and never sends them chunks.",
        &[Rows, By("proxy/basics.rs", "old_clients_get_no_chunks")],
    ),
    ("A client may half-close after its request and still gets its answer.", &[Rows]),
    // "Responses that are refused" and "Responses that are passed on".
    (
        "Interim heads of more than 256 KiB together, for one response",
        &[By("proxy/lying.rs", "endless_interim_answers_are_refused")],
    ),
    (
        "A chunk that is malformed in the same packet as the head",
        &[By("proxy/failures.rs", "a_body_that_is_malformed_beside_its_head_is_no_answer")],
    ),
    (
        "A 101 that the request did not ask for, for another protocol, or from HTTP/1.0",
        &[By("proxy/lying.rs", "a_101_that_the_request_did_not_ask_for_is_refused")],
    ),
    (
        "Connection fields | removed by the same rules as in requests",
        &[By("request_rules/mod.rs", "responses_are_normalized")],
    ),
    (
        "each passes to HTTP/1.1 and HTTP/2 clients, in order, and none to HTTP/1.0 clients (RFC 9110, 15.2)",
        &[
            By("proxy/basics.rs", "interim_answers_pass_in_order"),
            By("h2/basics.rs", "interim_heads_pass"),
            By("h2/upstream.rs", "interim_heads_of_an_origin_of_http2_pass"),
        ],
    ),
    (
        "A 100 behind `Expect: 100-continue` | dropped",
        &[By("proxy/basics.rs", "an_expectation_is_answered_once_by_the_door_alone")],
    ),
    (
        "the client gets the part before the fault, and the response is cut short",
        &[By("proxy/failures.rs", "a_response_cut_short_ends_abnormally_and_is_one_error")],
    ),
    // "Upgrades and WebSocket".
    ("`h2c`, `h2`, `tls` and `http` are removed; a request with no other protocol is a plain one.", &[Rows]),
    (
        "Bytes and a FIN of the client before it gets the 101",
        &[
            By("proxy/tunnels_ahead.rs", "first_bytes_and_a_fin_before_the_101_reach_a_silent_origin"),
            By("proxy/upgrades.rs", "an_upgrade_that_is_not_granted_is_a_plain_request"),
        ],
    ),
    (
        "only by a 101 for the protocol that was asked for",
        &[By("proxy/basics.rs", "a_tunnel_passes_bytes_both_ways_after_an_upgrade")],
    ),
    (
        "Not granted | a plain request.",
        &[By("proxy/upgrades.rs", "an_upgrade_that_is_not_granted_is_a_plain_request")],
    ),
    (
        "Over HTTP/2 | extended CONNECT (RFC 8441)",
        &[By("h2/tunnels.rs", "a_tunnel_reaches_an_origin_of_http1")],
    ),
];

/// Checks that docs/http.md has each clause in these words, with white space folded. Each clause must have
/// its rows or its test, and each row must belong to a clause.
pub(super) fn check(section: &[Clause], rows: &[&'static str]) {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/http.md")).unwrap();
    let document = document.split_whitespace().collect::<Vec<_>>().join(" ");
    for (clause, shown) in section {
        assert!(document.contains(*clause), "docs/http.md does not say {clause:?}");
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
