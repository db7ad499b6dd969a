//! Reads greenlight's own access log, which is JSON lines (`log.access`).

use std::borrow::Cow;

use serde::Deserialize;

use crate::judge::{Outcome, RouteTemplate};

use super::line::{Line, Parsed, ServiceFilter, client, outcome_of};
use super::stamp;

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    status: Option<u16>,
    duration_ms: f64,
    #[serde(borrow)]
    service: Option<Cow<'a, str>>,
    attempts: u32,
    #[serde(borrow, default)]
    cause: Option<Cow<'a, str>>,
}

pub(crate) fn parse(line: &[u8], filter: &mut ServiceFilter) -> Option<Parsed> {
    let entry: Entry<'_> = serde_json::from_slice(line).ok()?;
    let ended_ms = stamp::rfc3339_millis(entry.time.as_bytes())?;
    let Some(service) = &entry.service else { return Some(Parsed::NotCounted) };
    if let Err(other) = filter.ask(service) {
        return Some(other);
    }
    let Some(outcome) = outcome(&entry) else { return Some(Parsed::NotCounted) };
    Some(Parsed::Counted(Line {
        ended_ms,
        took_ms: Some(took(entry.duration_ms)),
        client: client(entry.client.as_bytes()),
        outcome,
        route: RouteTemplate::new(entry.method.as_bytes(), entry.path.as_bytes()),
    }))
}

/// The outcome that the judge counted for the request, as far as the line shows it. `None` if the request is
/// no evidence. An answer of greenlight's own is evidence if its cause is the origin: greenlight could not
/// reach the origin, the origin did not answer, or the service had no endpoint.
fn outcome(entry: &Entry<'_>) -> Option<Outcome> {
    let cause = entry.cause.as_deref().unwrap_or_default();
    if cause.starts_with("the origin") {
        return Some(Outcome::Error);
    }
    match (entry.attempts, entry.status) {
        (0, Some(503)) if cause.contains("endpoint") => Some(Outcome::Error),
        (0, _) | (_, None) => None,
        (_, Some(status)) if cause.is_empty() => Some(outcome_of(status)),
        // The cause is the client, its body, a drain, or a limit of greenlight.
        (_, Some(_)) => None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn took(millis: f64) -> u32 {
    millis.clamp(0.0, f64::from(u32::MAX)) as u32
}
