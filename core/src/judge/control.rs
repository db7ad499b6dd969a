//! The old color while it still answers beside the candidate. It is a live control.
//!
//! A baseline is the past. If something that both colors need (a database, a network) has begun to fail
//! since, that is not the candidate's fault, and the old color shows it. When the old color is surely
//! worse now than its own past may have been, the cause is outside, and the failures do not count against
//! the candidate.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Bucket, wilson};

/// The old color's last seconds: requests and errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Control {
    seconds: VecDeque<(u32, u32)>,
}

/// The seconds that count. With fewer of them the control would know too little at a few requests a
/// second. With more it would be slow to forget an outage that is over.
const SECONDS: usize = 30;
/// With fewer errors than this the control sees no outage.
const ERRORS_MIN: u64 = 3;

impl Control {
    /// Adds a closed second of the old color, even one without a request.
    pub fn push(&mut self, bucket: &Bucket) {
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        self.seconds.push_back((small(bucket.requests), small(bucket.errors)));
        while self.seconds.len() > SECONDS {
            self.seconds.pop_front();
        }
    }

    /// Whether the old color's error rate is surely over `rate` now. It is if the lower end of the 95 %
    /// interval is over `rate`.
    pub fn is_over(&self, rate: f64) -> bool {
        let (n, e) = self.seconds.iter().fold((0, 0), |(n, e), &(requests, errors)| {
            (n + u64::from(requests), e + u64::from(errors.min(requests)))
        });
        e >= ERRORS_MIN && wilson::lower(e, n) > rate
    }
}
