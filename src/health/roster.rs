//! One colour: its endpoints, whose release they belong to, and what they say together.

use crate::model::{Endpoint, EndpointId, Health, ReleaseId, Tick};

use super::{EndpointHealth, ProbeOutcome, Thresholds};

/// A colour's endpoints in one line: all that a release decides by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ColorHealth {
    pub total: u32,
    pub healthy: u32,
    pub unhealthy: u32,
    pub unknown: u32,
    /// Since when every endpoint has been healthy without one failed probe; `None` when not so
    /// now, or when there is no endpoint.
    pub clean_since: Option<Tick>,
    /// Whether every endpoint's last probe was a refused connect: nothing runs there.
    pub refused: bool,
}

/// What a probe changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// It belongs to another release, or to an endpoint that is gone: dropped.
    Stale,
    /// Counted; the endpoint's health is as before.
    Same,
    /// The endpoint's health is now this.
    Changed(Health),
}

/// The endpoints of one colour.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    owner: Option<ReleaseId>,
    endpoints: Vec<(Endpoint, EndpointHealth)>,
}

impl Roster {
    /// The release that the endpoints belong to; `None` before the first one.
    pub fn owner(&self) -> Option<&ReleaseId> {
        self.owner.as_ref()
    }

    pub fn endpoints(&self) -> &[(Endpoint, EndpointHealth)] {
        &self.endpoints
    }

    /// Replaces the set: endpoints that stay keep their health, new ones are unknown.
    /// Tells whether anything changed.
    pub fn set_endpoints(&mut self, endpoints: &[Endpoint]) -> bool {
        let _ = endpoints;
        todo!("health helper")
    }

    /// Gives the endpoints to a release and forgets what was known: absence of evidence never
    /// opens a gate, and evidence about an older release is none about this one.
    pub fn adopt(&mut self, release: Option<ReleaseId>) {
        let _ = release;
        todo!("health helper")
    }

    /// Counts a probe that was started for `owner`.
    pub fn observe(
        &mut self,
        owner: Option<&ReleaseId>,
        id: &EndpointId,
        outcome: &ProbeOutcome,
        thresholds: Thresholds,
        at: Tick,
    ) -> Observed {
        let _ = (owner, id, outcome, thresholds, at);
        todo!("health helper")
    }

    pub fn summary(&self) -> ColorHealth {
        todo!("health helper")
    }
}
