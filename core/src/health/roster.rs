//! The roster of one color. It holds the color's endpoints, the release that owns them, and their health
//! together.
//!
//! Absence of evidence never opens a gate. An endpoint without a probe is unknown, a color without
//! endpoints is not clean, and evidence that was gathered for one release is dropped when it arrives for
//! another.

use crate::model::{Endpoint, EndpointId, Health, ReleaseId, Tick};

use super::{EndpointHealth, ProbeOutcome, Thresholds};

/// A summary of a color's endpoints. It is all that a release decides by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ColorHealth {
    /// The number of endpoints, which the next three fields split.
    pub total: u32,
    pub healthy: u32,
    pub unhealthy: u32,
    pub unknown: u32,
    /// Since when every endpoint has been healthy without one failed probe. It is `None` if that does not
    /// hold now, or if there is no endpoint.
    pub clean_since: Option<Tick>,
    /// Whether the last probe of every endpoint was a refused connection, so that nothing runs there.
    pub refused: bool,
}

/// The effect of a probe on its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeEffect {
    /// The probe belongs to another release, or to an endpoint that is gone. It was dropped.
    Stale,
    /// The probe was counted and the endpoint's health is as before. The summary may differ all the same,
    /// because a clean run may have begun or ended.
    Same,
    /// The probe was counted and the endpoint's health has changed to this.
    Changed(Health),
}

/// The endpoints of one color.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    owner: Option<ReleaseId>,
    /// The endpoints, sorted by id. The order in which a resolver lists addresses has no meaning, and in
    /// a sorted list a probe finds its endpoint among thousands in a few comparisons.
    endpoints: Vec<(Endpoint, EndpointHealth)>,
    /// The time of the last failed probe of an endpoint that has gone since. Taking a sick endpoint out
    /// does not make the time before a clean one.
    gone_failure: Option<Tick>,
}

impl Roster {
    /// The release that the endpoints belong to; `None` before the first one.
    pub fn owner(&self) -> Option<&ReleaseId> {
        self.owner.as_ref()
    }

    /// The endpoints and their health, sorted by id.
    pub fn endpoints(&self) -> &[(Endpoint, EndpointHealth)] {
        &self.endpoints
    }

    /// Replaces the endpoints. Endpoints that stay keep their health. New ones, and those with another
    /// address than before, are unknown. If several have the same id the first one counts. Returns
    /// whether anything has changed; the order does not matter.
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

    /// Gives the endpoints to a release and forgets their health, because evidence about an older release
    /// is not evidence about this one. Adopting again for the same owner changes nothing, so the effect
    /// may be repeated.
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

    /// The summary of all endpoints.
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

    /// Remembers the last failure of an endpoint that goes.
    fn part_with(&mut self, health: &EndpointHealth) {
        self.gone_failure = self.gone_failure.max(health.last_failure.as_ref().map(|(at, _)| *at));
    }
}
