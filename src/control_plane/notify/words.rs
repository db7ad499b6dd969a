//! The words of a message, the same for every kind of notifier. This file is pure.

use std::fmt::Write as _;

use serde_json::Value;

use crate::release::Notice;

use super::{Notification, ReleaseSummary};

/// Returns a title: the fact in one line.
pub(crate) fn title(news: &Notification) -> String {
    let service = &news.service;
    let version = news.release.as_ref().map_or("a release".to_owned(), |release| short(&release.version));
    match news.notice {
        Notice::Started => format!("{service}: release of {version} started"),
        Notice::Awaiting => format!("{service}: {version} is ready and waits to be promoted"),
        Notice::Promoted => format!("{service}: {version} has the traffic"),
        Notice::Succeeded => format!("{service}: {version} succeeded"),
        Notice::Failed => format!("{service}: {version} failed before the switch, nothing was moved"),
        Notice::Cancelled => format!("{service}: {version} was cancelled"),
        Notice::Reverted => format!("{service}: {version} was reverted"),
        Notice::RolledBack => format!("{service}: {version} was rolled back"),
        Notice::Degraded => format!("{service}: {version} is degraded, a person is needed"),
        Notice::Alarm => match &news.alarm {
            Some(alarm) if alarm.raised => format!("{service}: alarm {}", alarm.name),
            Some(alarm) => format!("{service}: alarm {} is over", alarm.name),
            None => format!("{service}: alarm"),
        },
    }
}

/// Returns a symbol that a reader sees before the words.
pub(crate) fn sign(news: &Notification) -> &'static str {
    match news.notice {
        Notice::Started => ":hourglass_flowing_sand:",
        Notice::Awaiting => ":raised_hand:",
        Notice::Promoted => ":arrow_right:",
        Notice::Succeeded => ":white_check_mark:",
        Notice::Failed => ":x:",
        Notice::Cancelled => ":heavy_minus_sign:",
        Notice::Reverted | Notice::RolledBack => ":leftwards_arrow_with_hook:",
        Notice::Degraded => ":warning:",
        Notice::Alarm if news.alarm.as_ref().is_some_and(|alarm| !alarm.raised) => ":white_check_mark:",
        Notice::Alarm => ":rotating_light:",
    }
}

/// Returns the facts that a person would look for, each with its name.
pub(crate) fn facts(news: &Notification) -> Vec<(&'static str, String)> {
    let version = news.active_version.as_deref().map_or("an unknown version".to_owned(), short);
    let active = ("Active", format!("{version} on {}", news.active));
    let Some(release) = &news.release else { return vec![active] };
    let mut facts =
        vec![active, ("Release", format!("{} ({}, {})", release.id, release.kind, release.color))];
    if short(&release.version) != release.version {
        facts.push(("Version", release.version.clone()));
    }
    if let Some(verdict) = &release.verdict {
        facts.push(("Verdict", verdict.as_str().to_owned()));
    }
    if let Some(numbers) = numbers(release) {
        facts.push(("Numbers", numbers));
    }
    if let Some(seconds) = release.duration_seconds {
        facts.push(("Duration", duration(seconds)));
    }
    facts
}

/// Formats the judge's numbers, if it has seen any requests.
fn numbers(release: &ReleaseSummary) -> Option<String> {
    let number = |name: &str| release.numbers.get(name).and_then(Value::as_f64);
    let (n, e) = (number("n")?, number("e")?);
    if n < 1.0 {
        return Some("no requests".to_owned());
    }
    let mut text = format!("{e} errors in {n} requests ({:.2} %)", 100.0 * e / n);
    if let (Some(requests), Some(errors)) = (number("baseline_requests"), number("baseline_errors"))
        && requests >= 1.0
    {
        let _ = write!(text, ", before {errors} in {requests} ({:.2} %)", 100.0 * errors / requests);
    }
    if let (Some(s), Some(h)) = (number("s"), number("h")) {
        let _ = write!(text, ", score {s:.1} of {h:.1}");
    }
    Some(text)
}

/// Shortens a version. Of a digest the first twelve digits stay.
fn short(version: &str) -> String {
    const SHOWN: usize = "sha256:".len() + 12;
    match version.find("sha256:") {
        Some(at) if version.len() > at + SHOWN && version.is_char_boundary(at + SHOWN) => {
            version[..at + SHOWN].to_owned()
        }
        _ => version.to_owned(),
    }
}

/// Returns the next command to type and its purpose. It is a command that undoes the step, if there
/// is one.
pub(crate) fn command(news: &Notification) -> Option<(&'static str, String)> {
    let service = &news.service;
    let undo = |verb: &str| Some(("Undo", format!("greenlight {verb} {service}")));
    let explain = |release: &ReleaseSummary| Some(("Why", format!("greenlight explain {}", release.id)));
    let release = news.release.as_ref();
    match news.notice {
        Notice::Started => undo("abort"),
        Notice::Awaiting => Some(("Go on", format!("greenlight promote {service}"))),
        Notice::Promoted | Notice::Succeeded | Notice::Degraded if news.rollback_available => {
            undo("rollback")
        }
        Notice::Degraded => Some(("Keep it", format!("greenlight promote {service}"))),
        Notice::Failed | Notice::Reverted | Notice::RolledBack | Notice::Cancelled => {
            release.and_then(explain)
        }
        Notice::Alarm if news.alarm.as_ref().is_none_or(|alarm| alarm.raised) => {
            Some(("Look", format!("greenlight status {service}")))
        }
        Notice::Promoted | Notice::Succeeded | Notice::Alarm => None,
    }
}

/// Formats seconds like "1m 12s". From ten seconds up, whole seconds are shown; below, tenths.
fn duration(seconds: f64) -> String {
    let duration = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let coarse = if seconds >= 10.0 {
        std::time::Duration::from_secs(duration.as_secs())
    } else {
        let tenths = u64::try_from(duration.as_millis() / 100).unwrap_or(u64::MAX);
        std::time::Duration::from_millis(tenths * 100)
    };
    humantime::format_duration(coarse).to_string()
}
