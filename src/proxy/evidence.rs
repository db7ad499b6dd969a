//! The one place where the outcome of an attempt is noted.

use std::time::Duration;

use crate::judge::Outcome;
use crate::model::Color;

use super::call::Call;
use super::slot::InFlight;
use super::worker::Worker;

/// An attempt that has come to its outcome.
#[derive(Debug)]
pub struct Attempt<'a> {
    pub call: &'a Call,
    pub color: Color,
    /// `None`: its colour had no endpoint.
    pub inflight: Option<&'a InFlight>,
    pub outcome: Outcome,
    /// From its start to the response's head, where there was one.
    pub first_byte: Option<Duration>,
    /// Whether the judge counts it: previews and second attempts of the shield are no evidence.
    pub evidence: bool,
}

/// Notes it, once an attempt.
pub fn record(worker: &Worker, attempt: &Attempt<'_>) {
    if attempt.evidence {
        let counts = &attempt.call.service.cell.colors[attempt.color];
        counts.evidence(attempt.call.client, attempt.outcome, attempt.first_byte);
    }
    if let Some(inflight) = attempt.inflight {
        let slot = &inflight.slot;
        if slot.came_out(attempt.outcome == Outcome::Error) {
            let counts = &inflight.service.colors[inflight.color];
            counts.ejected.set(counts.ejected.get() + 1);
            counts.count_ejection();
            worker.suspect(slot, true);
        }
    }
}
