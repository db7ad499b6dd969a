//! Endpoints that workers have taken out of their pools because their attempts failed: their probes
//! bring them back, all workers at once, by the table.

use std::collections::BTreeMap;

use crate::model::EndpointId;

/// What is known of those of one service.
#[derive(Debug, Default)]
pub(crate) struct Ejected {
    /// Passed probes in a row since it was told of.
    out: BTreeMap<EndpointId, u32>,
    returns: BTreeMap<EndpointId, u64>,
}

impl Ejected {
    /// A worker has told of it, and tells again until it is back; true if that is news.
    pub(crate) fn report(&mut self, endpoint: &EndpointId) -> bool {
        let news = !self.out.contains_key(endpoint);
        if news {
            self.out.insert(endpoint.clone(), 0);
        }
        news
    }

    /// Counts a probe; true if the endpoint is back after `rise` of them in a row.
    pub(crate) fn probed(&mut self, endpoint: &EndpointId, passed: bool, rise: u32) -> bool {
        let Some(passes) = self.out.get_mut(endpoint) else { return false };
        *passes = if passed { *passes + 1 } else { 0 };
        if *passes < rise {
            return false;
        }
        self.out.remove(endpoint);
        *self.returns.entry(endpoint.clone()).or_default() += 1;
        true
    }

    /// How often it has come back.
    pub(crate) fn returns(&self, endpoint: &EndpointId) -> u64 {
        self.returns.get(endpoint).copied().unwrap_or_default()
    }

    /// Forgets endpoints that are gone.
    pub(crate) fn retain(&mut self, is_there: impl Fn(&EndpointId) -> bool) {
        self.out.retain(|endpoint, _| is_there(endpoint));
        self.returns.retain(|endpoint, _| is_there(endpoint));
    }
}
