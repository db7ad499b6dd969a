//! Reads Envoy's access log as JSON, with the keys of Envoy's own text format in the spelling of Istio
//! (`response_code`, `upstream_service_time`) and of Envoy Gateway (`x-envoy-upstream-service-time`).

use crate::judge::{Outcome, RouteTemplate};

use super::line::{Line, Parsed, client, outcome_of};
use super::scalar::{fields, last_forwarded, without_port};

const FIELDS: [&[&str]; 9] = [
    &["start_time"],
    &["method", ":method"],
    &["path", "x-envoy-origin-path", "x-envoy-original-path", ":path"],
    &["response_code"],
    &["response_flags"],
    // In milliseconds, to the last byte.
    &["duration"],
    // In milliseconds, to the response head.
    &["upstream_service_time", "x-envoy-upstream-service-time"],
    &["x_forwarded_for", "x-forwarded-for"],
    &["downstream_remote_address"],
];

/// Flags of requests that say nothing about the origin: the client went away or sent nonsense, there was no
/// route, or a filter of Envoy answered.
const NOT_EVIDENCE: [&str; 12] =
    ["DC", "DPE", "NR", "NC", "RL", "UAEX", "RLSE", "IH", "SI", "DO", "DI", "LH"];
/// Flags of attempts that failed on the way to the origin or on the way back, whatever the status.
const FAILED: [&str; 8] = ["UF", "UH", "UC", "UR", "UT", "LR", "UPE", "URX"];

pub(crate) fn parse(line: &[u8]) -> Option<Parsed> {
    let [start, method, path, code, flags, duration, head, forwarded, peer] = &fields(line, &FIELDS)?;
    let began = start.time()?;
    let status = code.status()?;
    let duration = duration.millis(1.0);
    let flags = || flags.text().unwrap_or_default().split(',');
    if flags().any(|flag| NOT_EVIDENCE.contains(&flag)) {
        return Some(Parsed::NotCounted);
    }
    let failed = flags().any(|flag| FAILED.contains(&flag));
    let (Some(method), Some(path)) = (method.text(), path.text()) else {
        return Some(Parsed::NotCounted);
    };
    let outcome = match status {
        _ if failed => Outcome::Error,
        // There was no answer, and no flag says that the origin is the reason.
        0 => return Some(Parsed::NotCounted),
        status => outcome_of(status),
    };
    let forwarded = forwarded.text().and_then(last_forwarded);
    let address = forwarded.or_else(|| peer.text().map(without_port));
    Some(Parsed::Counted(Line {
        ended_ms: began.saturating_add(i64::from(duration.unwrap_or(0))),
        took_ms: head.millis(1.0).or(duration),
        client: client(address.unwrap_or_default().as_bytes()),
        outcome,
        route: RouteTemplate::new(method.as_bytes(), path.as_bytes()),
    }))
}
