//! Reads Traefik's access log with `format = "json"`.

use std::borrow::Cow;

use serde::Deserialize;

use crate::judge::{Outcome, RouteTemplate};

use super::line::{Line, Parsed, ServiceFilter, client, outcome_of};
use super::scalar::{Scalar, without_port};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(borrow)]
    request_method: Cow<'a, str>,
    #[serde(borrow)]
    request_path: Cow<'a, str>,
    #[serde(borrow, default)]
    client_host: Scalar<'a>,
    #[serde(borrow, default)]
    client_addr: Scalar<'a>,
    #[serde(borrow)]
    downstream_status: Scalar<'a>,
    #[serde(borrow, default)]
    origin_status: Scalar<'a>,
    /// In nanoseconds.
    #[serde(borrow, default)]
    duration: Scalar<'a>,
    /// In nanoseconds.
    #[serde(borrow, default)]
    origin_duration: Scalar<'a>,
    /// `shop@docker`; absent if no router had the request.
    #[serde(borrow, default)]
    service_name: Scalar<'a>,
    #[serde(borrow, default, rename = "StartUTC")]
    start_utc: Scalar<'a>,
    /// When Traefik wrote the line, in whole seconds.
    #[serde(borrow, default, rename = "time")]
    written: Scalar<'a>,
}

const NANOS_PER_MS: f64 = 1e6;

pub(crate) fn parse(line: &[u8], filter: &mut ServiceFilter) -> Option<Parsed> {
    let entry: Entry<'_> = serde_json::from_slice(line).ok()?;
    let duration = entry.duration.millis(NANOS_PER_MS);
    let ended_ms = match entry.start_utc.time() {
        Some(began) => began.saturating_add(i64::from(duration.unwrap_or(0))),
        None => entry.written.time()?,
    };
    let status = entry.downstream_status.status()?;
    let Some(service) = entry.service_name.text() else { return Some(Parsed::NotCounted) };
    // `--service shop` means the service of any provider.
    let name = if filter.wants(service) { service } else { service.split('@').next().unwrap_or(service) };
    if let Err(other) = filter.ask(name) {
        return Some(other);
    }
    let origin = entry.origin_status.status().filter(|status| *status > 0);
    let outcome = match (status, origin) {
        // Traefik could not reach the origin, or the origin did not answer.
        (502..=504, None) => Outcome::Error,
        // The client went away, or a middleware answered.
        (0 | 499, _) | (_, Some(499) | None) => return Some(Parsed::NotCounted),
        (_, Some(status)) => outcome_of(status),
    };
    let address = entry.client_host.text().or_else(|| entry.client_addr.text().map(without_port));
    Some(Parsed::Counted(Line {
        ended_ms,
        took_ms: origin.and(entry.origin_duration.millis(NANOS_PER_MS)).or(duration),
        client: client(address.unwrap_or_default().as_bytes()),
        outcome,
        route: RouteTemplate::new(entry.request_method.as_bytes(), entry.request_path.as_bytes()),
    }))
}
