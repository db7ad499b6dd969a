//! Reads Caddy's access log, which is JSON lines of the logger `http.log.access`.

use std::borrow::Cow;

use serde::Deserialize;

use crate::judge::RouteTemplate;

use super::line::{Line, Parsed, client, outcome_of};
use super::stamp;

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    ts: Time<'a>,
    #[serde(borrow)]
    request: Request<'a>,
    status: u16,
    /// In seconds.
    #[serde(default)]
    duration: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Time<'a> {
    /// Seconds since 1970. Caddy writes this form by default.
    Number(f64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
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

pub(crate) fn parse(line: &[u8]) -> Option<Parsed> {
    let Entry { ts, request, status, duration } = serde_json::from_slice(line).ok()?;
    let ended_ms = match ts {
        Time::Number(seconds) => millis(seconds)?,
        Time::Text(text) => stamp::rfc3339_millis(text.as_bytes())?,
    };
    if status == 0 {
        // Caddy sent no answer. The client went away, or the connection became a tunnel.
        return Some(Parsed::NotCounted);
    }
    let address = if request.client_ip.is_empty() { &request.remote_ip } else { &request.client_ip };
    Some(Parsed::Counted(Line {
        ended_ms,
        took_ms: duration.and_then(millis).and_then(|millis| u32::try_from(millis).ok()),
        client: client(address.as_bytes()),
        outcome: outcome_of(status),
        route: RouteTemplate::new(request.method.as_bytes(), request.uri.as_bytes()),
    }))
}

/// Seconds as whole milliseconds. `None` if the value is negative or after the year 9999.
#[expect(clippy::cast_possible_truncation, reason = "within the years that a log can be of")]
fn millis(seconds: f64) -> Option<i64> {
    (0.0..253_402_300_800.0).contains(&seconds).then_some((seconds * 1000.0) as i64)
}
