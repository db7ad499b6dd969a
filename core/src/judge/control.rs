//! The old color while it still answers beside the candidate. It is a live control.
//!
//! A baseline is the past. If something that both colors need (a database, a network) has begun to fail
//! since, that is not the candidate's fault, and the old color shows it. When the old color is surely
//! worse now than its own past may have been, the cause is outside, and the failures do not count against
//! the candidate.
//!
//! The control remembers the seconds of the present run, which is the time since the candidate's score was
//! last 0, and the half minute before it. So an outage that both colors shared excuses the errors that came
//! with it, and no later ones.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Bucket, wilson};

/// The old color's seconds of the present run: requests and errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Control {
    seconds: VecDeque<(u32, u32)>,
}

/// The seconds that the control has of the time before a run. An outage that both colors share may reach
/// the candidate's clients late, by their retries.
const LEAD: usize = 30;
/// When there are more seconds than this, each two become one.
const SECONDS_MAX: usize = 64;
/// A second without a request drops one part in this many, so that a control that is not asked any more
/// is forgotten within about half a minute.
const AGING: usize = 8;
/// With fewer errors than this the control sees no outage.
const ERRORS_MIN: u64 = 3;

impl Control {
    /// Adds a closed second of the old color. A second without a request ages the rest.
    pub fn push(&mut self, bucket: &Bucket) {
        if bucket.requests == 0 {
            let old = self.seconds.len().div_ceil(AGING).min(self.seconds.len());
            self.seconds.drain(..old);
            return;
        }
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        self.seconds.push_back((small(bucket.requests), small(bucket.errors)));
        if self.seconds.len() > SECONDS_MAX {
            let both = |a: (u32, u32), b: (u32, u32)| (a.0.saturating_add(b.0), a.1.saturating_add(b.1));
            let seconds = std::mem::take(&mut self.seconds);
            let pairs = seconds.as_slices();
            let all: Vec<(u32, u32)> = pairs.0.iter().chain(pairs.1).copied().collect();
            self.seconds = all.chunks(2).map(|pair| pair.iter().copied().fold((0, 0), both)).collect();
        }
    }

    /// The candidate's score is 0, so the run is over. Only the last seconds stay.
    pub fn run_is_over(&mut self) {
        let old = self.seconds.len().saturating_sub(LEAD);
        self.seconds.drain(..old);
    }

    /// Whether the old color's error rate is surely over `rate`. It is if the lower end of the 95 %
    /// interval is over `rate`.
    #[must_use]
    pub fn is_over(&self, rate: f64) -> bool {
        let (n, e) = self.seconds.iter().fold((0, 0), |(n, e), &(requests, errors)| {
            (n + u64::from(requests), e + u64::from(errors.min(requests)))
        });
        e >= ERRORS_MIN && wilson::lower(e, n) > rate
    }
}
