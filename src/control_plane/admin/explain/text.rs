//! The page for a terminal.

use std::fmt::Write;
use std::time::Duration;

use crate::control_plane::controller::{ContainerEvidence, EventView, ReleaseView};
use crate::judge::Verdict;
use crate::judge::{RouteNumbers, Series};
use crate::release::StateName;

use super::course::Course;
use super::{numbers, textplot};

/// How many log lines of each container the text shows. The page and the JSON have all of them.
const LOG_LINES_SHOWN: usize = 20;

/// Timeline, numbers, verdict and cause. Ends with a line break.
pub(crate) fn page(
    release: &ReleaseView,
    events: &[EventView],
    series: Option<&Series>,
    containers: &[ContainerEvidence],
) -> String {
    let mut text = String::new();
    // Writing to a String never fails.
    let _ = head(&mut text, release);
    let _ = timeline(&mut text, release, events);
    let _ = numbers_table(&mut text, release);
    if let Some(course) = series.and_then(|series| Course::new(release, events, series)) {
        let _ = course_plots(&mut text, &course);
    }
    let _ = routes(&mut text, release);
    let _ = failures(&mut text, release);
    let _ = logs(&mut text, containers);
    let _ = next(&mut text, release);
    text
}

/// Why a release has no verdict.
const fn no_verdict(state: StateName) -> &'static str {
    match state {
        StateName::Baking => "none yet: it is being judged",
        state if state.is_final() => "none: it was not judged",
        _ => "none yet",
    }
}

fn head(text: &mut String, release: &ReleaseView) -> std::fmt::Result {
    let ReleaseView { id, service, kind, version, color, state, .. } = release;
    writeln!(text, "release {id}: {state}")?;
    writeln!(text, "  {kind} of {version} to {color}, service {service}")?;
    if !release.reason.is_empty() {
        writeln!(text, "  reason     {}", release.reason)?;
    }
    writeln!(
        text,
        "  verdict    {}",
        release.verdict.map_or_else(|| no_verdict(release.state), Verdict::as_str)
    )?;
    if let Some(cause) = &release.cause {
        writeln!(text, "  cause      {cause}")?;
    }
    writeln!(text, "  started    {}", release.started_at)?;
    let since = |time: &Option<String>| {
        time.as_deref().map(|time| (time.to_owned(), elapsed(&release.started_at, time)))
    };
    if let Some((time, after)) = since(&release.promoted_at) {
        writeln!(text, "  switched   {time}  ({after} after the start)")?;
    }
    if let Some((time, after)) = since(&release.finished_at) {
        writeln!(text, "  ended      {time}  ({after} after the start)")?;
    }
    Ok(())
}

fn timeline(text: &mut String, release: &ReleaseView, events: &[EventView]) -> std::fmt::Result {
    writeln!(text, "\ntimeline")?;
    if events.is_empty() {
        writeln!(text, "  nothing is stored of it")?;
    }
    let start = events.first().map_or(release.started_at.as_str(), |event| event.time.as_str());
    for event in events {
        let after = elapsed(start, &event.time);
        let clock = event.time.get(11..19).unwrap_or(&event.time);
        writeln!(text, "  {clock}  {after:>8}  {:<18} {}", event.event, event.reason)?;
    }
    Ok(())
}

fn numbers_table(text: &mut String, release: &ReleaseView) -> std::fmt::Result {
    writeln!(text, "\nnumbers")?;
    let lines = numbers::table(&release.numbers);
    if lines.is_empty() {
        writeln!(text, "  none: it got no traffic to be judged by")?;
    }
    let name_width = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
    let value_width = lines.iter().map(|line| line.value.chars().count()).max().unwrap_or(0);
    for line in lines {
        let row = format!("  {:<name_width$}  {:>value_width$}  {}", line.name, line.value, line.meaning);
        writeln!(text, "{}", row.trim_end())?;
    }
    Ok(())
}

fn course_plots(text: &mut String, course: &Course<'_>) -> std::fmt::Result {
    writeln!(text, "\ncourse")?;
    if let Some(crossed) = course.crossed_in_words() {
        writeln!(text, "  {crossed}")?;
    }
    textplot::write(text, course)
}

fn routes(text: &mut String, release: &ReleaseView) -> std::fmt::Result {
    let routes = numbers::routes(&release.numbers);
    if routes.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nroutes with errors")?;
    let width = routes.iter().map(|route| route.route.len()).max().unwrap_or(0);
    for route in routes {
        let RouteNumbers { route, n, e, baseline_requests, baseline_errors, p1, s, h, tripped, .. } = route;
        let word = if tripped { "  tripped" } else { "" };
        let p1 = numbers::percent(p1);
        writeln!(
            text,
            "  {route:<width$}  {e} of {n}, before {baseline_errors} of {baseline_requests}, p1 {p1}, S {s:.2} of {h:.2}{word}"
        )?;
    }
    Ok(())
}

fn failures(text: &mut String, release: &ReleaseView) -> std::fmt::Result {
    let failures = numbers::first_failures(&release.numbers);
    if failures.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nfirst failing requests")?;
    let width = failures.iter().map(|failed| failed.route.len()).max().unwrap_or(0);
    for failed in &failures {
        let clock = failed.time.get(11..23).unwrap_or(&failed.time);
        let got = numbers::outcome(failed);
        let endpoint = failed.endpoint.as_deref().unwrap_or("no endpoint");
        writeln!(text, "  {clock}  {:<width$}  {got}  {endpoint}", failed.route)?;
    }
    Ok(())
}

fn logs(text: &mut String, containers: &[ContainerEvidence]) -> std::fmt::Result {
    if containers.is_empty() {
        return Ok(());
    }
    writeln!(text, "\ncontainers")?;
    for ContainerEvidence { container, image, state, log_lines, .. } in containers {
        writeln!(text, "  {container}  {state}  {image}")?;
        let skipped = log_lines.len().saturating_sub(LOG_LINES_SHOWN);
        for line in &log_lines[skipped..] {
            writeln!(text, "    | {line}")?;
        }
    }
    Ok(())
}

fn next(text: &mut String, release: &ReleaseView) -> std::fmt::Result {
    let service = &release.service;
    writeln!(text, "\nnext")?;
    match release.state {
        StateName::Succeeded => writeln!(text, "  to go back: greenlight rollback {service}"),
        StateName::Reverted => writeln!(
            text,
            "  {version} is in quarantine: release a fixed version, or `greenlight quarantine rm {service} {version}`",
            version = release.version
        ),
        state if state.is_final() => writeln!(text, "  try again: greenlight deploy {service}"),
        StateName::AwaitingPromotion => {
            writeln!(text, "  greenlight promote {service}, or greenlight abort {service}")
        }
        StateName::Baking | StateName::Degraded => writeln!(
            text,
            "  it goes on: greenlight status {service} --watch; to go back: greenlight rollback {service}"
        ),
        _ => writeln!(
            text,
            "  it goes on: greenlight status {service} --watch; to end it: greenlight abort {service}"
        ),
    }
}

/// The time between two RFC 3339 times, as `+0:04` or `+1:02:03`.
fn elapsed(from: &str, to: &str) -> String {
    let parse = |time: &str| humantime::parse_rfc3339_weak(time).ok();
    let Some(duration) =
        parse(from).zip(parse(to)).map(|(from, to)| to.duration_since(from).unwrap_or_default())
    else {
        return String::new();
    };
    clock(duration)
}

fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("+{hours}:{minutes:02}:{seconds:02}") } else { format!("+{minutes}:{seconds:02}") }
}
