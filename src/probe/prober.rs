//! The schedule of every endpoint's probes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::health::{Check, ProbeOutcome};
use crate::model::{Endpoint, EndpointId, ReleaseId, Tick};

/// One endpoint to probe, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeTarget {
    pub endpoint: Endpoint,
    /// The release that the result will belong to; when it changes, probes that are under way
    /// still carry the old one.
    pub owner: Option<ReleaseId>,
    pub check: Arc<Check>,
}

/// One probe's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    pub endpoint: EndpointId,
    pub owner: Option<ReleaseId>,
    pub outcome: ProbeOutcome,
    pub started: Tick,
    pub took: Duration,
}

/// Probes whatever it was last told to, and reports into a bounded channel.
#[derive(Debug)]
pub struct Prober {}

impl Prober {
    /// Starts with no targets. Runs on the current (control plane) runtime until dropped.
    #[must_use]
    pub fn start(reports: mpsc::Sender<ProbeReport>) -> Self {
        let _ = reports;
        todo!("probe helper")
    }

    /// Replaces the targets: those that stay keep their schedule, new ones are probed at once, those
    /// with a new owner too.
    pub fn set_targets(&self, targets: Vec<ProbeTarget>) {
        let _ = targets;
        todo!("probe helper")
    }

    /// Probes an endpoint again at once, `fall` times 200 ms apart while connects are refused.
    pub fn suspect(&self, endpoint: &EndpointId) {
        let _ = endpoint;
        todo!("probe helper")
    }
}
