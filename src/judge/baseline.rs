//! What the old colour did before the switch: rolling until then, frozen from then on.

use serde::{Deserialize, Serialize};

use super::{Bucket, Policy};

/// The frozen baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    pub requests: u64,
    pub errors: u64,
    /// Seconds it covers.
    pub seconds: u64,
}

/// The active colour's last buckets, at most `baseline_window` of them.
#[derive(Clone, Debug, Default)]
pub struct BaselineWindow {}

impl BaselineWindow {
    /// Adds a closed second and drops what is older than the window.
    pub fn push(&mut self, bucket: &Bucket, policy: &Policy) {
        let _ = (bucket, policy);
        todo!("judge helper")
    }

    /// Forgets everything: another colour is active now.
    pub fn clear(&mut self) {
        todo!("judge helper")
    }

    pub fn freeze(&self, policy: &Policy) -> Baseline {
        let _ = policy;
        todo!("judge helper")
    }
}
