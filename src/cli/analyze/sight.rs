//! How blind the judge is on a log. A report begins with it, because a judge that sees nothing reverts nothing,
//! and that looks like a service that runs well.

use serde::Serialize;

use crate::cli::replay::Findings;
use crate::judge::{Numbers, power};

use super::input::Lines;

/// The error rates of the bad versions that a bake may find.
const RATES: [f64; 3] = [0.05, 0.20, 1.0];
/// A chance under this is called blind.
const SURE: f64 = 0.95;
/// The largest share of lines that may be missing without a word.
const MISSING_MAX: f64 = 0.01;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Sight {
    /// What the judge does not see on this log, in words. Empty if nothing is in its way.
    pub(super) blind: Vec<String>,
    /// How likely a bake finds a bad version. Empty if no release was tried.
    pub(super) power: Vec<Power>,
}

/// The chance that a bake finds a version that fails at one rate.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Power {
    /// The share of requests that fail.
    pub(super) error_rate: f64,
    /// The share of bakes that find it.
    pub(super) found: f64,
}

impl Sight {
    /// `usual` are the numbers of an imagined release at `per_second` requests a second.
    pub(super) fn new(
        found: &Findings,
        lines: &Lines,
        usual: Option<&Numbers>,
        per_second: f64,
        bake_seconds: f64,
    ) -> Self {
        let told = |error_rate| {
            usual.map(|numbers| Power {
                error_rate,
                found: power(numbers, per_second, bake_seconds, error_rate),
            })
        };
        let power: Vec<Power> = RATES.into_iter().filter_map(told).collect();
        Self { blind: blind(found, lines, usual, &power, per_second * bake_seconds), power }
    }
}

fn blind(
    found: &Findings,
    lines: &Lines,
    usual: Option<&Numbers>,
    power: &[Power],
    requests: f64,
) -> Vec<String> {
    let mut blind = Vec::new();
    let share = |part: u64| part as f64 / lines.read.max(1) as f64;
    if found.requests == 0 {
        blind.push(format!("to everything: no line of {} is a request to the service", lines.read));
        return blind;
    }
    if power.last().is_some_and(|power| power.found < SURE) {
        let chances: Vec<String> = power
            .iter()
            .map(|power| format!("{:.0} % errors in {:.0} %", power.error_rate * 100.0, power.found * 100.0))
            .collect();
        blind.push(format!(
            "to most bad versions: too little traffic to judge, {requests:.0} requests a bake; it finds {} of such bakes (a longer bake_time or analysis.synthetic helps)",
            chances.join(", ")
        ));
    } else if let Some(weak) = power.iter().rev().find(|power| power.found < SURE) {
        blind.push(format!(
            "to small faults: a version that fails {:.0} % is found in {:.0} % of such bakes",
            weak.error_rate * 100.0,
            weak.found * 100.0
        ));
    }
    if !found.timed {
        blind.push("to slowness: the log has no times, so the latency rule is not tried".to_owned());
    }
    if usual.is_some_and(|numbers| !numbers.many_clients) {
        blind.push(
            "to which client fails: under 20 clients, or one with over half of the requests (the address of a proxy?)"
                .to_owned(),
        );
    }
    for (count, what) in [
        (lines.unreadable, "can't be read"),
        (lines.not_counted, "are no evidence: the client went away, or the request never got to the service"),
        (lines.other_service, "are of other services"),
    ] {
        if share(count) > MISSING_MAX {
            blind.push(format!("to {:.1} % of the lines: they {what}", share(count) * 100.0));
        }
    }
    blind
}
