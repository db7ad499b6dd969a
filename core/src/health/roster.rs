//! One color: its endpoints, whose release they belong to, and what they say together.
//!
//! Absence of evidence never opens a gate: an endpoint that nobody has probed is unknown, a color
//! without endpoints is not clean, and evidence gathered for one release is dropped when it
//! arrives for another.

use crate::model::{Endpoint, EndpointId, Health, ReleaseId, Tick};

use super::{EndpointHealth, ProbeOutcome, Thresholds};

/// A color's endpoints in one line: all that a release decides by.
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
pub enum ProbeEffect {
    /// It belongs to another release, or to an endpoint that is gone: dropped.
    Stale,
    /// Counted; the endpoint's health is as before. The summary may differ all the same: a clean
    /// run may have begun or ended.
    Same,
    /// The endpoint's health is now this.
    Changed(Health),
}

/// The endpoints of one color.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    owner: Option<ReleaseId>,
    /// Sorted by id: the order in which a resolver lists addresses means nothing, and a probe
    /// finds its endpoint among thousands in a few comparisons.
    endpoints: Vec<(Endpoint, EndpointHealth)>,
    /// The last failed probe of an endpoint that has gone since: taking a sick endpoint out
    /// does not make the time before a clean one.
    gone_failure: Option<Tick>,
}

impl Roster {
    /// The release that the endpoints belong to; `None` before the first one.
    pub fn owner(&self) -> Option<&ReleaseId> {
        self.owner.as_ref()
    }

    /// The endpoints and what is thought of them, sorted by id.
    pub fn endpoints(&self) -> &[(Endpoint, EndpointHealth)] {
        &self.endpoints
    }

    /// Replaces the set: endpoints that stay keep their health, new ones (and those whose address
    /// is another now) are unknown. Of several with the same id the first counts. Tells whether
    /// anything changed; the order does not matter.
    pub fn set_endpoints(&mut self, endpoints: &[Endpoint]) -> bool {
        let mut wanted: Vec<&Endpoint> = endpoints.iter().collect();
        wanted.sort_by(|a, b| a.id.cmp(&b.id));
        wanted.dedup_by(|later, first| later.id == first.id);
        if wanted.iter().copied().eq(self.endpoints.iter().map(|(endpoint, _)| endpoint)) {
            return false;
        }
        let mut old = std::mem::take(&mut self.endpoints).into_iter().peekable();
        for endpoint in wanted {
            while let Some((_, health)) = old.next_if(|(known, _)| known.id < endpoint.id) {
                self.part_with(&health);
            }
            let kept = match old.next_if(|(known, _)| known.id == endpoint.id) {
                Some((known, health)) if known == *endpoint => health,
                Some((_, health)) => {
                    self.part_with(&health);
                    EndpointHealth::default()
                }
                None => EndpointHealth::default(),
            };
            self.endpoints.push((endpoint.clone(), kept));
        }
        for (_, health) in old {
            self.part_with(&health);
        }
        true
    }

    /// Gives the endpoints to a release and forgets what was known: evidence about an older
    /// release is none about this one. Adopting for the owner again changes nothing, so that the
    /// effect may be repeated.
    pub fn adopt(&mut self, release: Option<ReleaseId>) {
        if self.owner == release {
            return;
        }
        self.owner = release;
        self.gone_failure = None;
        for (_, health) in &mut self.endpoints {
            *health = EndpointHealth::default();
        }
    }

    /// Counts a probe that was started for `owner`.
    pub fn observe(
        &mut self,
        owner: Option<&ReleaseId>,
        id: &EndpointId,
        outcome: &ProbeOutcome,
        thresholds: Thresholds,
        at: Tick,
    ) -> ProbeEffect {
        if owner != self.owner.as_ref() {
            return ProbeEffect::Stale;
        }
        let Ok(place) = self.endpoints.binary_search_by(|(endpoint, _)| endpoint.id.cmp(id)) else {
            return ProbeEffect::Stale;
        };
        match self.endpoints[place].1.observe(outcome, thresholds, at) {
            Some(health) => ProbeEffect::Changed(health),
            None => ProbeEffect::Same,
        }
    }

    /// What the endpoints say together.
    pub fn summary(&self) -> ColorHealth {
        let mut sum = ColorHealth { refused: !self.endpoints.is_empty(), ..ColorHealth::default() };
        let mut clean_since = self.gone_failure;
        let mut clean = !self.endpoints.is_empty();
        for (_, endpoint) in &self.endpoints {
            sum.total += 1;
            match endpoint.health {
                Health::Healthy => sum.healthy += 1,
                Health::Unhealthy => sum.unhealthy += 1,
                Health::Unknown => sum.unknown += 1,
            }
            sum.refused &= endpoint.refused();
            clean &= endpoint.clean_since.is_some();
            clean_since = clean_since.max(endpoint.clean_since);
        }
        sum.clean_since = clean_since.filter(|_| clean);
        sum
    }

    fn part_with(&mut self, health: &EndpointHealth) {
        self.gone_failure = self.gone_failure.max(health.last_failure.as_ref().map(|(at, _)| *at));
    }
}
