//! Writes numbers as parts of sentences, for the reasons that people read.

use std::time::Duration;

use crate::health::ColorHealth;
use crate::judge::{Numbers, TripRule};

/// A duration for people. Less than an hour is in seconds, such as "12.5 s", since people compare it with the
/// lines of a log. From an hour on it is in its two largest units, such as "3 days" or "1 h 30 min".
pub(crate) fn seconds(duration: Duration) -> String {
    const HOUR: u64 = 3600;
    let total = duration.as_secs();
    if total < HOUR {
        return format!("{} s", duration.as_millis() as f64 / 1000.0);
    }
    let units = [("day", total / (24 * HOUR)), ("h", total / HOUR % 24), ("min", total / 60 % 60)];
    let first = units.iter().position(|(_, count)| *count > 0).unwrap_or(0);
    let shown = units.iter().skip(first).take(2).filter(|(_, count)| *count > 0);
    let words = shown.map(|(unit, count)| match (*unit, *count) {
        ("day", 2..) => format!("{count} days"),
        (unit, count) => format!("{count} {unit}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The judge's reason for an inconclusive verdict, and the keys that would make the next one conclusive.
pub(crate) fn inconclusive(numbers: &Numbers) -> String {
    format!(
        "{}: too few requests to tell a good version from a bad one; a longer bake_time, more traffic or \
         synthetic requests would tell",
        describe(numbers)
    )
}

/// A color's health, such as "2 of 3 endpoints healthy".
pub(crate) fn count(health: Option<ColorHealth>) -> String {
    match health {
        None => "nothing known of its endpoints yet".to_owned(),
        Some(health) if health.total == 0 => "no endpoint".to_owned(),
        Some(health) => format!("{} of {} endpoints healthy", health.healthy, health.total),
    }
}

/// The numbers of the judge's error rule in a sentence.
pub(crate) fn describe(numbers: &Numbers) -> String {
    let share = if numbers.n == 0 { 0.0 } else { 100.0 * numbers.e as f64 / numbers.n as f64 };
    format!(
        "{} errors in {} requests ({share:.2} %), expected {:.2} %, borne under {:.2} %, score {:.1} of {:.1}",
        numbers.e,
        numbers.n,
        100.0 * numbers.p0,
        100.0 * numbers.p1,
        numbers.s,
        numbers.h
    )
}

/// The numbers of the rule about errors that tripped. They are a route's if a route's rule tripped, else
/// the service's.
pub(crate) fn errors(numbers: &Numbers) -> String {
    if numbers.rule == Some(TripRule::Route) { bad_route(numbers) } else { describe(numbers) }
}

/// The latency rule's numbers in a sentence, or "not measured" if the rule is off.
pub(crate) fn slowness(numbers: &Numbers) -> String {
    let Some(latency) = &numbers.latency else { return "not measured".to_owned() };
    format!(
        "{} of {} requests had no response within {} ms ({:.2} %, expected {:.2} %, borne under {:.2} %), score {:.1} of {:.1}",
        latency.bad,
        latency.n,
        latency.slow_after_ms,
        percent(latency.bad, latency.n),
        100.0 * latency.p0,
        100.0 * latency.p1,
        latency.s,
        latency.h
    )
}

/// The numbers of the route that is nearest to its bound, in a sentence.
pub(crate) fn bad_route(numbers: &Numbers) -> String {
    let Some(route) = numbers.routes.first() else { return describe(numbers) };
    format!(
        "{}: {} errors in {} requests ({:.2} %, expected {:.2} %, borne under {:.2} %), score {:.1} of {:.1}; all routes: {} in {}",
        route.route,
        route.e,
        route.n,
        percent(route.e, route.n),
        100.0 * route.p0,
        100.0 * route.p1,
        route.s,
        route.h,
        numbers.e,
        numbers.n
    )
}

/// The share in percent; 0 of nothing.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests;
