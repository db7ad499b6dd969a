//! Our own access log: JSON lines (`log.access`).

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

/// What the judge was told of it, as far as the line says. Answers of our own are evidence when
/// they are about the origin: it could not be reached, did not answer, or there was none.
fn outcome(entry: &Entry<'_>) -> Option<Outcome> {
    let cause = entry.cause.as_deref().unwrap_or_default();
    if cause.starts_with("the origin") {
        return Some(Outcome::Error);
    }
    match (entry.attempts, entry.status) {
        (0, Some(503)) if cause.contains("endpoint") => Some(Outcome::Error),
        (0, _) | (_, None) => None,
        (_, Some(status)) if cause.is_empty() => Some(outcome_of(status)),
        // The client, its body, a drain, our own limits.
        (_, Some(_)) => None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn took(millis: f64) -> u32 {
    millis.clamp(0.0, f64::from(u32::MAX)) as u32
}
