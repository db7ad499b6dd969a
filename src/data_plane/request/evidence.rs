//! The one place that counts the outcomes of attempts, for the judge and for the endpoint.

use crate::model::Color;

use super::call::Call;
use super::ending::HeadOutcome;
use crate::data_plane::origin::slot::InFlight;
use crate::data_plane::worker::recorder::{Asker, Failure};
use crate::data_plane::worker::state::Worker;

/// A fact about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observation {
    /// Its response head has arrived.
    Head(HeadOutcome),
    /// It failed without a response head.
    Lost(&'static str),
    /// Its head was no failure, but the response broke off.
    Broken(HeadOutcome, &'static str),
}

impl Observation {
    /// Whether the fact counts as a failure of the endpoint.
    fn is_failure(self) -> bool {
        match self {
            Self::Head(heard) => heard.failed,
            Self::Lost(_) | Self::Broken(..) => true,
        }
    }
}

/// An attempt, with a fact about it.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub call: &'a Call,
    pub color: Color,
    /// `None` if the color had no endpoint.
    pub inflight: Option<&'a InFlight>,
    pub noted: Observation,
    /// Whether the judge counts the fact. Previews and second attempts of the shield are no evidence.
    pub evidence: bool,
}

/// Counts a fact about an attempt.
pub(crate) fn record(worker: &Worker, attempt: &Attempt<'_>) {
    if attempt.evidence {
        count(attempt);
    }
    if let Some(inflight) = attempt.inflight {
        let slot = &inflight.slot;
        if slot.came_out(attempt.noted.is_failure()) {
            let counts = &inflight.service.colors[inflight.color];
            counts.ejected.set(counts.ejected.get() + 1);
            counts.count_ejection();
            worker.suspect(slot, true);
        }
    }
}

/// Counts a fact for the judge.
fn count(attempt: &Attempt<'_>) {
    let counts = &attempt.call.service.cell.colors[attempt.color].evidence;
    let asker = asker(attempt.call, attempt.inflight);
    match attempt.noted {
        Observation::Head(heard) => {
            if let Some(inflight) = attempt.inflight {
                inflight.head_arrived();
            }
            if heard.failed {
                // Below 500 the failure is a grpc-status; otherwise the status is a failure itself.
                let cause = (heard.status < 500).then_some("a grpc-status that is a failure");
                counts.failure(&asker, Failure { status: Some(heard.status), cause });
            } else {
                counts.success(&asker);
            }
        }
        Observation::Lost(cause) => counts.failure(&asker, Failure { status: None, cause: Some(cause) }),
        Observation::Broken(heard, cause) => {
            counts.broken(&asker, Failure { status: Some(heard.status), cause: Some(cause) });
        }
    }
}

/// Begins an attempt that is evidence.
pub(crate) fn begin(call: &Call, inflight: &InFlight) {
    inflight.waits(&asker(call, Some(inflight)));
}

fn asker<'a>(call: &'a Call, inflight: Option<&InFlight>) -> Asker<'a> {
    let endpoint = inflight.map(|inflight| inflight.slot.endpoint.address);
    Asker { client: call.client, route: &call.route, endpoint }
}
