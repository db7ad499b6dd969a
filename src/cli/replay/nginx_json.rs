//! Reads nginx's access log as JSON (`log_format ... escape=json`). nginx has no names of its own for the keys.
//! The replay reads the names of nginx's variables, and the names that people use most beside them.

use crate::judge::RouteTemplate;

use super::line::{Line, Parsed, behind_proxy, client, outcome_of, route};
use super::scalar::{fields, last_forwarded};

const FIELDS: [&[&str]; 9] = [
    &["msec", "time_iso8601", "time_local", "@timestamp", "timestamp", "time", "ts"],
    &["remote_addr", "remote_ip", "client_ip", "clientip", "client"],
    &["http_x_forwarded_for", "x_forwarded_for", "xff"],
    // The whole request line.
    &["request", "request_line"],
    &["request_method", "method"],
    &["request_uri", "uri", "path", "url"],
    &["status", "status_code"],
    // In seconds, to the last byte.
    &["request_time", "duration", "rt"],
    // In seconds, to the response head.
    &["upstream_header_time", "uht"],
];

/// Seconds in a millisecond.
const SECONDS_PER_MS: f64 = 1e-3;

pub(crate) fn parse(line: &[u8]) -> Option<Parsed> {
    let [time, peer, forwarded, request, method, uri, status, took, head] = &fields(line, &FIELDS)?;
    let ended_ms = time.time()?;
    let status = status.status()?;
    let pair = method.text().zip(uri.text());
    let template = match pair {
        Some((method, target)) => Some(RouteTemplate::new(method.as_bytes(), target.as_bytes())),
        None => request.text().and_then(|request| route(request.as_bytes())),
    };
    let Some(route) = template.filter(|_| status != 499 && status != 0) else {
        return Some(Parsed::NotCounted);
    };
    let forwarded = forwarded.text().and_then(last_forwarded);
    let address = behind_proxy(peer.text().unwrap_or_default(), forwarded);
    Some(Parsed::Counted(Line {
        ended_ms,
        took_ms: head.millis(SECONDS_PER_MS).or(took.millis(SECONDS_PER_MS)),
        client: client(address.as_bytes()),
        outcome: outcome_of(status),
        route,
    }))
}
