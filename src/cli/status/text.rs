//! Services as text: a table of all services, a page about one service, or a line for a log.

use std::fmt::Write;
use std::time::Duration;

use crate::cli::rundown;
use crate::cli::span;
use crate::cli::table::Table;
use crate::control_plane::controller::{ReleaseView, ServiceView};
use crate::model::{Color, Health};
use crate::release::StateName;

/// A table with one row for each service.
pub(crate) fn all(services: &[ServiceView]) -> String {
    if services.is_empty() {
        return "no service is configured: add [services.NAME] to the configuration".into();
    }
    let mut table =
        Table::new(["SERVICE", "ACTIVE", "VERSION", "STATE", "RELEASE", "BLUE", "GREEN", "NOTES"]);
    for service in services {
        let alarms = service.alarms.keys().map(|alarm| format!("ALARM {alarm}"));
        table.row([
            service.name.clone(),
            service.active.to_string(),
            active_version(service),
            service.state.to_string(),
            service.release.as_ref().map_or_else(|| "-".to_owned(), |release| last_release(service, release)),
            health(service, Color::Blue),
            health(service, Color::Green),
            alarms.chain(notes(service)).collect::<Vec<_>>().join(", "),
        ]);
    }
    table.text()
}

/// A page about one service: release, notes, alarms, endpoints and the next step.
pub(crate) fn one(service: &ServiceView) -> String {
    // Writing to a String never fails.
    let mut text = format!("service {}: {} is active, {}", service.name, service.active, service.state);
    let _ = write!(text, "\n  active    {}: version {}", service.active, active_version(service));
    let _ = write!(text, "\n  hosts     {}", service.hosts.join(", "));
    let _ = write!(text, "\n  epoch     {}, revision {}", service.epoch, service.revision);
    if let Some(release) = &service.release {
        let _ = write!(
            text,
            "\n  release   {}: {} of {} on {}",
            release.id,
            release.kind,
            short(&release.version, release.image.as_deref()),
            release.color
        );
        let _ = write!(text, "\n            {}: {}", release.state, release.reason);
        let progress = rundown::progress(service, &release.id);
        if service.state != StateName::Stable && !progress.is_empty() {
            let _ = write!(text, "\n            {progress}");
        }
    }
    if let Some(queued) = &service.queued {
        let _ = write!(text, "\n  queued    {}: {} ({})", queued.id, queued.version, queued.reason);
    }
    for note in notes(service) {
        let _ = write!(text, "\n  note      {note}");
    }
    for (alarm, reason) in &service.alarms {
        let _ = write!(text, "\n  ALARM     {alarm}: {reason}");
    }
    for (color, containers) in &service.containers {
        let running = containers.running.map_or_else(|| "?".to_owned(), |running| running.to_string());
        let (wanted, healthy) = (containers.wanted, containers.healthy);
        let _ =
            write!(text, "\n  {color:<9} {wanted} containers wanted, {running} running, {healthy} healthy");
    }
    if !service.endpoints.is_empty() {
        let mut table = Table::new(["ENDPOINT", "COLOR", "HEALTH", "IN FLIGHT", "LAST FAILURE"]);
        for endpoint in &service.endpoints {
            table.row([
                endpoint.address.clone(),
                endpoint.color.to_string(),
                endpoint.health.to_string(),
                endpoint.inflight.to_string(),
                endpoint.last_failure.clone().unwrap_or_default(),
            ]);
        }
        let _ = write!(text, "\n\n{}", table.text());
    }
    let _ = write!(text, "\n\nnext: {}", next(service));
    text
}

/// One service as a line for a log. The line contains no clock, so that it changes only when the service
/// changes.
pub(crate) fn line(service: &ServiceView) -> String {
    let mut text = format!("{}: {} active", service.name, service.active);
    let _ = write!(text, " ({}), {}", active_version(service), service.state);
    if let Some(release) = &service.release {
        let _ = write!(text, ", {}", last_release(service, release));
    }
    let _ = write!(text, ", blue {}, green {}", health(service, Color::Blue), health(service, Color::Green));
    for note in notes(service) {
        let _ = write!(text, ", {note}");
    }
    for alarm in service.alarms.keys() {
        let _ = write!(text, ", ALARM {alarm}");
    }
    text
}

/// The version that serves, or `-` if it is not known.
fn active_version(service: &ServiceView) -> String {
    let image =
        service.release.as_ref().filter(|release| Some(&release.version) == service.active_version.as_ref());
    let image = image.and_then(|release| release.image.as_deref());
    service.active_version.as_ref().map_or_else(|| "-".to_owned(), |version| short(version, image))
}

/// The last release with its version, if that is another one than the version that serves.
fn last_release(service: &ServiceView, release: &ReleaseView) -> String {
    if service.active_version.as_ref() == Some(&release.version) {
        return release.id.clone();
    }
    let version = short(&release.version, release.image.as_deref());
    format!("{} ({version}, {})", release.id, release.state)
}

/// A version for people. Of a digest 12 characters are shown, behind the tag that was asked for.
fn short(version: &str, image: Option<&str>) -> String {
    let Some(digest) = version.strip_prefix("sha256:").filter(|digest| digest.len() > 12) else {
        return version.to_owned();
    };
    let digest: String = digest.chars().take(12).collect();
    let name = image.map(|image| image.split('@').next().unwrap_or(image));
    let tag = name.and_then(|name| name.rsplit('/').next()?.split_once(':')).map(|(_, tag)| tag);
    tag.map_or_else(|| format!("sha256:{digest}"), |tag| format!("{tag} (sha256:{digest})"))
}

/// The healthy endpoints of a color out of all that it should have, such as `2/3`; `-` for a color without
/// endpoints.
fn health(service: &ServiceView, color: Color) -> String {
    let of_color = service.endpoints.iter().filter(|endpoint| endpoint.color == color);
    let wanted = service.containers.get(color.as_str()).map_or(0, |containers| containers.wanted as usize);
    let total = of_color.clone().count().max(wanted);
    let healthy = of_color.filter(|endpoint| endpoint.health == Health::Healthy).count();
    if total == 0 { "-".to_owned() } else { format!("{healthy}/{total}") }
}

/// The notes about a service besides its state: a pin, a pause, a queued release.
fn notes(service: &ServiceView) -> Vec<String> {
    let mut notes = Vec::new();
    if service.pinned {
        let pin = service.pin.as_ref();
        let reason = pin.and_then(|pin| pin.reason.as_ref()).map(|reason| format!(" ({reason})"));
        let until = pin.and_then(|pin| pin.until.as_ref()).map(|until| format!(" until {until}"));
        notes.push(format!("pinned{}{}", reason.unwrap_or_default(), until.unwrap_or_default()));
    }
    if service.paused {
        notes.push("paused".to_owned());
    }
    if service.queued.is_some() {
        notes.push("one queued".to_owned());
    }
    notes
}

/// The next step, with the commands that a person can use in this state.
fn next(service: &ServiceView) -> String {
    let name = &service.name;
    let left = service.deadline_in_seconds.and_then(|left| Duration::try_from_secs_f64(left).ok());
    let left = left.map(|left| format!(" ({} left)", span::clock(left))).unwrap_or_default();
    match service.state {
        StateName::Stable if service.rollback_available => {
            format!("greenlight deploy {name}; to go back: greenlight rollback {name}")
        }
        StateName::Stable => format!("greenlight deploy {name}"),
        StateName::AwaitingPromotion => {
            format!("greenlight promote {name}, or greenlight abort {name}{left}")
        }
        StateName::Baking => format!("the judge watches{left}; to go back: greenlight rollback {name}"),
        StateName::Degraded => {
            format!("a person decides: greenlight rollback {name}, or greenlight promote {name} to keep it")
        }
        StateName::Promoting | StateName::Reverting => "the switch is under way".to_owned(),
        _ => format!("it goes on by itself{left}; to end it: greenlight abort {name}"),
    }
}
