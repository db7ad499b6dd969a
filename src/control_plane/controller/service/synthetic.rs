//! The counts of the synthetic requests to a service.

use std::collections::VecDeque;

use crate::model::PerColor;

/// The length of the window in seconds. Traffic is thin if the active color got fewer requests in
/// the window than the synthetic requests would be.
const THIN_SECONDS: usize = 10;

/// The counts of the synthetic requests, and whether such requests are needed.
#[derive(Debug, Default)]
pub(crate) struct SyntheticCounts {
    /// Successes and errors since the last closed second.
    pub(crate) counts: PerColor<(u32, u32)>,
    /// Users' requests to the active color in the last closed seconds.
    recent: VecDeque<u64>,
    /// Whether synthetic requests are sent now.
    pub(crate) on: bool,
}

impl SyntheticCounts {
    pub(crate) fn second(&mut self, requests: u64) {
        self.recent.push_back(requests);
        if self.recent.len() > THIN_SECONDS {
            self.recent.pop_front();
        }
    }

    pub(crate) fn is_thin(&self, rate: u32) -> bool {
        self.recent.iter().sum::<u64>() < u64::from(rate) * self.recent.len() as u64
    }
}
