//! Reads Caddy's access log, which is JSON lines of the logger `http.log.access`.

use std::borrow::Cow;

use serde::Deserialize;

use crate::judge::RouteTemplate;

use super::line::{Line, Parsed, client, outcome_of};
use super::scalar::Scalar;

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    ts: Scalar<'a>,
    #[serde(borrow)]
    request: Request<'a>,
    status: u16,
    /// In seconds. With `duration_format string` it is a text such as `1.5ms`, which is not read.
    #[serde(borrow, default)]
    duration: Scalar<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default)]
    remote_ip: Cow<'a, str>,
    /// The client behind trusted proxies. Newer versions of Caddy write it.
    #[serde(borrow, default)]
    client_ip: Cow<'a, str>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

/// Seconds in a millisecond.
const SECONDS_PER_MS: f64 = 1e-3;

pub(crate) fn parse(line: &[u8]) -> Option<Parsed> {
    let Entry { ts, request, status, duration } = serde_json::from_slice(line).ok()?;
    let ended_ms = ts.time()?;
    if status == 0 {
        // Caddy sent no answer. The client went away, or the connection became a tunnel.
        return Some(Parsed::NotCounted);
    }
    let address = if request.client_ip.is_empty() { &request.remote_ip } else { &request.client_ip };
    Some(Parsed::Counted(Line {
        ended_ms,
        took_ms: duration.millis(SECONDS_PER_MS),
        client: client(address.as_bytes()),
        outcome: outcome_of(status),
        route: RouteTemplate::new(request.method.as_bytes(), request.uri.as_bytes()),
    }))
}
