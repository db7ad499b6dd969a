//! What is known of our own requests to a service.

use std::collections::VecDeque;

use crate::model::PerColor;

/// Traffic is thin when the active color had fewer requests than ours would be in so many seconds.
const THIN_SECONDS: usize = 10;

/// What is known of our own requests, and of whether they are needed.
#[derive(Debug, Default)]
pub(crate) struct SyntheticCounts {
    /// Successes and errors since the last closed second.
    pub(crate) counts: PerColor<(u32, u32)>,
    /// Users' requests to the active color in the last closed seconds.
    recent: VecDeque<u64>,
    /// Whether something is asked now.
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
