//! One second of one colour's evidence; buckets of several workers add up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A client, by a hash of its address (peer, or right-most untrusted X-Forwarded-For).
pub type ClientKey = u64;

/// How one upstream attempt ended, as the judge counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Error,
}

/// Counts of one second. Memory is bounded; recording allocates nothing once warm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    pub requests: u64,
    pub errors: u64,
}

impl Bucket {
    /// Counts one attempt. `first_byte` is the time to the response head, where there was one.
    pub fn record(&mut self, client: ClientKey, outcome: Outcome, first_byte: Option<Duration>) {
        let _ = (client, outcome, first_byte);
        todo!("judge helper")
    }

    /// Adds another worker's counts of the same second.
    pub fn merge(&mut self, other: &Self) {
        let _ = other;
        todo!("judge helper")
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        todo!("judge helper")
    }

    pub fn is_empty(&self) -> bool {
        self.requests == 0 && self.errors == 0
    }
}
