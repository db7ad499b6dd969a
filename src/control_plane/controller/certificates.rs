//! The ends of the certificates that are served: a metric, warnings, and the alarm of the services whose
//! clients are refused.
//!
//! Certificates end by the wall clock, so this file reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use crate::clock;
use crate::release::Event;
use crate::tls::Said;

use super::run::Controller;

/// How often the certificates are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often the same warnings are repeated.
const WARN_EVERY: Duration = Duration::from_hours(24);
/// The time before its end from which a certificate ends soon, in seconds (7 days).
const ENDS_SOON: i64 = 7 * 24 * 3600;
/// A certificate of a short life ends soon in the last part of its life: one of so many.
const LAST_PART: i64 = 5;

impl Controller {
    /// Looks at the certificates that are served, every ten seconds.
    pub(crate) fn look_at_certificates(&mut self) {
        let now = clock::instant();
        let watch = &mut self.certificates;
        if watch.looked.is_some_and(|looked| now.duration_since(looked) < LOOK_EVERY) {
            return;
        }
        watch.looked = Some(now);
        let wall = wall_seconds();
        let served = self.tls.served();
        let mut left = BTreeMap::new();
        let mut texts = BTreeSet::new();
        for (place, said) in &served {
            let seconds = said.ends.saturating_sub(wall);
            for name in names(place, said) {
                let shown = left.entry(name).or_insert(seconds);
                *shown = seconds.min(*shown);
            }
            texts.extend(warning(place, said, wall));
        }
        let repeated = watch.warned.is_none_or(|warned| now.duration_since(warned) >= WARN_EVERY);
        for text in texts.iter().filter(|text| repeated || !watch.texts.contains(*text)) {
            tracing::warn!("{text}");
        }
        if repeated {
            watch.warned = Some(now);
        }
        watch.texts = texts;
        let hosts: BTreeSet<String> = left.keys().cloned().collect();
        self.metrics.certificates(&left, watch.hosts.difference(&hosts));
        watch.hosts = hosts;
        self.tell_ended(wall);
    }

    /// Tells each service which of its hosts have a certificate that has ended.
    fn tell_ended(&mut self, wall: i64) {
        for (index, service) in self.services.iter().enumerate() {
            let ended = service.config.hosts.iter().find_map(|host| {
                let end = self.tls.end_for(host).filter(|end| *end <= wall)?;
                Some(format!("the certificate that clients get for {host} ended on {}", day(end)))
            });
            if service.state.certificate != ended {
                self.pending.push_back((index, Event::Certificate(ended)));
            }
        }
    }
}

fn wall_seconds() -> i64 {
    i64::try_from(clock::unix_seconds()).unwrap_or(i64::MAX)
}

/// The hosts that stand for a certificate. One without a DNS name is known by its place.
fn names(place: &str, said: &Said) -> Vec<String> {
    if said.names.is_empty() { vec![place.to_owned()] } else { said.names.clone() }
}

/// The warning about a certificate, if one is due.
fn warning(place: &str, said: &Said, now: i64) -> Option<String> {
    let left = said.ends.saturating_sub(now);
    let soon = ENDS_SOON.min(said.ends.saturating_sub(said.begins) / LAST_PART);
    let (names, end) = (names(place, said).join(", "), day(said.ends));
    if left <= 0 {
        Some(format!("{place}: the certificate for {names} ended on {end}; clients refuse it"))
    } else if left < soon {
        Some(format!("{place}: the certificate for {names} ends on {end}"))
    } else {
        None
    }
}

/// The day of a time (seconds since 1970), in UTC.
fn day(seconds: i64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let text = humantime::format_rfc3339_seconds(time).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
#[path = "certificates/tests.rs"]
mod tests;
