//! The text of a wait: one line for each step with clock and counts, and at the end the verdict, the cause,
//! the next step, and how to undo it.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::control_plane::controller::{EventView, ReleaseView, ServiceView};
use crate::model::{Color, Health};
use crate::release::StateName;

use super::span;
use super::version::{cut, short};

/// One step as a line: clock time, time since `start` (RFC 3339), event, reason and counts, as in
/// `14:02:31     +0:20  baking             all traffic on green  [21 errors in 312 requests]`. A reason that
/// has the counts in words already gets no further ones.
pub(super) fn line(start: &str, event: &EventView) -> String {
    let clock = event.time.get(11..19).unwrap_or(&event.time);
    let after = span::between(start, &event.time).map(|after| format!("+{}", span::clock(after)));
    let mut line =
        format!("{clock}  {:>8}  {:<18} {}", after.unwrap_or_default(), event.event, cut(&event.reason));
    if let Some(counts) = counts(&event.numbers).filter(|counts| !event.reason.contains(counts)) {
        let _ = write!(line, "  [{counts}]");
    }
    line
}

/// The judge's counts as `21 errors in 312 requests`. Without requests and errors there is no text. The score
/// and its bound are left out, since a person needs docs/judge.md to read them; `explain` has them.
fn counts(numbers: &Map<String, Value>) -> Option<String> {
    let number = |key: &str| numbers.get(key).and_then(Value::as_f64);
    let (n, e) = (number("n")?, number("e")?);
    Some(format!("{e} errors in {n} requests"))
}

/// The progress of a release between two steps. The text is empty when the service neither runs nor queues
/// it.
pub(super) fn progress(service: &ServiceView, release: &str) -> String {
    let is = |view: &&ReleaseView| view.id == release;
    if let Some(queued) = service.queued.as_ref().filter(is) {
        return format!("queued: {}", cut(&queued.reason));
    }
    let Some(running) = service.release.as_ref().filter(is) else { return String::new() };
    let of_color = service.endpoints.iter().filter(|endpoint| endpoint.color == running.color);
    let total = of_color.clone().count();
    let healthy = of_color.filter(|endpoint| endpoint.health == Health::Healthy).count();
    let mut text = format!("{}: {} {healthy}/{total} healthy", running.state, running.color);
    if let Some(why) = ailment(service, running.color) {
        let _ = write!(text, " ({why})");
    }
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

/// Why the first endpoint of a color that is not healthy fails its probes.
fn ailment(service: &ServiceView, color: Color) -> Option<&str> {
    let of_color = service.endpoints.iter().filter(|endpoint| endpoint.color == color);
    let mut sick = of_color.filter(|endpoint| endpoint.health != Health::Healthy);
    sick.find_map(|endpoint| endpoint.last_failure.as_deref())
}

/// The text at the end of a wait: state, verdict, cause, next step, and how to undo it.
/// `rollback_available` says whether the service has a version to go back to.
pub(super) fn summary(release: &ReleaseView, rollback_available: bool) -> String {
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
    let _ = write!(text, "\n  version  {}", short(version, release.image.as_deref()));
    let _ = write!(text, "\n  cause    {cause}{}", cut(&release.reason));
    let (next, undo) = match state {
        StateName::Succeeded if !rollback_available => (
            format!("{color} has the traffic"),
            "no earlier version is known to be good, so there is nothing to go back to".to_owned(),
        ),
        StateName::Succeeded => (
            format!("{color} has the traffic; the other color stays warm for a while"),
            format!("greenlight rollback {service}"),
        ),
        StateName::Failed | StateName::Cancelled => (
            format!("greenlight explain {id}, then greenlight deploy {service}"),
            "nothing: the traffic never moved".to_owned(),
        ),
        StateName::Reverted => (
            format!(
                "greenlight explain {id}; {} is in quarantine, so release another version",
                short(version, release.image.as_deref())
            ),
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
        Some("inconclusive") => format!(
            "there was too little traffic to judge by: {keep}; a longer bake_time, or synthetic requests, \
             make the next bake conclusive"
        ),
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
