//! The judge of one bake: fed one closed bucket a second.

use serde::{Deserialize, Serialize};

use super::{Baseline, Bucket, Numbers, Policy, Trip, Verdict};

/// Plain data: stored with the service's record once a second, and goes on from there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    baseline: Baseline,
    policy: Policy,
}

impl Judge {
    /// A judge for a bake in which about `expected_requests` will come.
    pub fn new(baseline: Baseline, policy: Policy, expected_requests: f64) -> Self {
        let _ = expected_requests;
        Self { baseline, policy }
    }

    /// Judges one closed second of the candidate. A trip is reported each time the score is at
    /// its bound.
    pub fn observe(&mut self, bucket: &Bucket) -> Option<Trip> {
        let _ = bucket;
        todo!("judge helper")
    }

    /// Whether the score is at its bound now.
    pub fn tripped(&self) -> bool {
        todo!("judge helper")
    }

    /// Score 0 again: an outside cause has ended.
    pub fn reset(&mut self) {
        todo!("judge helper")
    }

    /// S = min(S, h): in a degraded release the score may fall again.
    pub fn cap(&mut self) {
        todo!("judge helper")
    }

    pub fn numbers(&self) -> Numbers {
        todo!("judge helper")
    }

    /// The verdict if the bake ended now.
    pub fn verdict(&self) -> Verdict {
        todo!("judge helper")
    }
}
