//! Endpoints that workers have ejected because their attempts failed. Passed probes bring an
//! endpoint back for all workers at once, by the route table.

use std::collections::BTreeMap;

use crate::model::EndpointId;

/// The ejected endpoints of one service.
#[derive(Debug, Default)]
pub(crate) struct Ejected {
    /// The passed probes in a row since the endpoint was reported.
    out: BTreeMap<EndpointId, u32>,
    /// How often each endpoint has come back.
    returns: BTreeMap<EndpointId, u64>,
}

impl Ejected {
    /// Notes that a worker has ejected an endpoint. The worker repeats the report until the
    /// endpoint is back. Returns true for the first report.
    pub(crate) fn report(&mut self, endpoint: &EndpointId) -> bool {
        let news = !self.out.contains_key(endpoint);
        if news {
            self.out.insert(endpoint.clone(), 0);
        }
        news
    }

    /// Counts a probe. Returns true if the endpoint is back, after `rise` passed probes in a row.
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

    /// Returns how often an endpoint has come back.
    pub(crate) fn returns(&self, endpoint: &EndpointId) -> u64 {
        self.returns.get(endpoint).copied().unwrap_or_default()
    }

    /// Forgets endpoints that are gone.
    pub(crate) fn retain(&mut self, is_there: impl Fn(&EndpointId) -> bool) {
        self.out.retain(|endpoint, _| is_there(endpoint));
        self.returns.retain(|endpoint, _| is_there(endpoint));
    }
}
