//! The text of a wait: one line for each step with clock and counts, and at the end the verdict, the cause,
//! the next step, and how to undo it.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::control_plane::controller::{EventView, ReleaseView, ServiceView};
use crate::model::Health;
use crate::release::StateName;

use super::span;

/// One step as a line: clock time, time since `start` (RFC 3339), event, reason and counts, as in
/// `14:02:31     +0:20  baking             all traffic on green  [n 312, e 21, S 9.30 of 14.20]`.
pub(super) fn line(start: &str, event: &EventView) -> String {
    let clock = event.time.get(11..19).unwrap_or(&event.time);
    let after = span::between(start, &event.time).map(|after| format!("+{}", span::clock(after)));
    let mut line = format!("{clock}  {:>8}  {:<18} {}", after.unwrap_or_default(), event.event, event.reason);
    if let Some(counts) = counts(&event.numbers) {
        let _ = write!(line, "  [{counts}]");
    }
    line
}

/// The judge's counts as `n 312, e 21, S 9.30 of 14.20`: requests, errors, score and bound. Without requests
/// and errors there is no text; without score and bound the text ends after the errors.
fn counts(numbers: &Map<String, Value>) -> Option<String> {
    let number = |key: &str| numbers.get(key).and_then(Value::as_f64);
    let (n, e) = (number("n")?, number("e")?);
    let mut text = format!("n {n}, e {e}");
    if let (Some(s), Some(h)) = (number("s"), number("h")) {
        let _ = write!(text, ", S {s:.2} of {h:.2}");
    }
    Some(text)
}

/// The progress of a release between two steps. The text is empty when the service neither runs nor queues
/// it.
pub(super) fn progress(service: &ServiceView, release: &str) -> String {
    let is = |view: &&ReleaseView| view.id == release;
    if let Some(queued) = service.queued.as_ref().filter(is) {
        return format!("queued: {}", queued.reason);
    }
    let Some(running) = service.release.as_ref().filter(is) else { return String::new() };
    let of_color = service.endpoints.iter().filter(|endpoint| endpoint.color == running.color);
    let total = of_color.clone().count();
    let healthy = of_color.filter(|endpoint| endpoint.health == Health::Healthy).count();
    let mut text = format!("{}: {} {healthy}/{total} healthy", running.state, running.color);
    if let Some(counts) = counts(&running.numbers) {
        let _ = write!(text, ", {counts}");
    }
    if let Some(left) = service.deadline_in_seconds.and_then(|left| Duration::try_from_secs_f64(left).ok()) {
        let _ = write!(text, ", {} left", span::clock(left));
    }
    if running.state == StateName::AwaitingPromotion {
        let _ = write!(text, ": greenlight promote {}", service.name);
    }
    text
}

/// The text at the end of a wait: state, verdict, cause, next step, and how to undo it.
pub(super) fn summary(release: &ReleaseView) -> String {
    let ReleaseView { id, service, version, color, state, .. } = release;
    let mut text = format!("\nrelease {id}: {state}");
    let ended = release.finished_at.as_deref().and_then(|end| span::between(&release.started_at, end));
    if let Some(after) = ended {
        let _ = write!(text, " after {}", span::clock(after));
    }
    if let Some(verdict) = release.verdict {
        let _ = write!(text, "\n  verdict  {}", verdict.as_str());
        if let Some(counts) = counts(&release.numbers) {
            let _ = write!(text, "  [{counts}]");
        }
    }
    let cause = release.cause.as_ref().map(|cause| format!("{cause}: ")).unwrap_or_default();
    let _ = write!(text, "\n  cause    {cause}{}", release.reason);
    let (next, undo) = match state {
        StateName::Succeeded => (
            format!("{color} has the traffic; the other color stays warm for a while"),
            format!("greenlight rollback {service}"),
        ),
        StateName::Failed | StateName::Cancelled => (
            format!("greenlight explain {id}, then greenlight deploy {service}"),
            "nothing: the traffic never moved".to_owned(),
        ),
        StateName::Reverted => (
            format!("greenlight explain {id}; {version} is in quarantine, so release another version"),
            format!("greenlight quarantine rm {service} {version}"),
        ),
        StateName::RolledBack => (
            format!("greenlight explain {id}; the old color has the traffic"),
            format!("greenlight deploy {service}"),
        ),
        StateName::Degraded => (degraded(release), format!("greenlight rollback {service}")),
        _ => (format!("greenlight status {service} --watch"), String::new()),
    };
    let _ = write!(text, "\n  next     {next}");
    if !undo.is_empty() {
        let _ = write!(text, "\n  undo     {undo}");
    }
    text
}

/// The choices that a person has in a degraded release, by the cause that keeps the judge from a revert.
fn degraded(release: &ReleaseView) -> String {
    let service = &release.service;
    let keep = format!("greenlight promote {service} keeps {}", release.color);
    match release.cause.as_deref() {
        Some("pinned") => format!("greenlight unpin {service} lets it revert; {keep}"),
        Some("old_sick") => {
            format!("the old color is sick as well: once it recovers it gets the traffic back; {keep}")
        }
        Some("inconclusive") => format!("there was too little traffic to judge by: {keep}"),
        _ => format!("the judge tripped and was told to hold: {keep}"),
    }
}

/// The text of a wait that ended by its timeout while the release goes on.
pub(super) fn timed_out(release: Option<&ReleaseView>, id: &str, timeout: Duration) -> String {
    let state = release.map_or("under way", |release| release.state.as_str());
    let service = release.map_or("SERVICE", |release| release.service.as_str());
    let undo = match release.and_then(|release| release.promoted_at.as_ref()) {
        Some(_) => "rollback",
        None => "abort",
    };
    format!(
        "\nrelease {id}: still {state} after {}; it goes on\n  next     greenlight status {service} --watch\n  undo     greenlight {undo} {service}",
        humantime::format_duration(timeout)
    )
}
