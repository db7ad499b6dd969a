//! One second of one colour's evidence; buckets of several workers add up.
//!
//! Counting is in the path of every request, so it is a handful of additions and a search in a
//! few cache lines, and its memory is fixed: counts, the clients that make most of the requests
//! and of the errors ([`super::clients`]), and the times to first byte ([`super::times`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clients::{Distinct, Frequent};
use super::times::Times;

/// A client, by a hash of its address (peer, or right-most untrusted X-Forwarded-For).
pub type ClientKey = u64;

/// How one upstream attempt ended, as the judge counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Error,
}

/// Counts of one second. At most about 1.8 KiB; recording allocates only for the first attempt
/// after [`Bucket::default`], never after [`Bucket::clear`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bucket {
    pub requests: u64,
    pub errors: u64,
    /// Attempts that had no response head when the latency rule's limit passed.
    pub slow: u64,
    /// Further seconds that such attempts went on without one.
    pub slow_repeats: u64,
    detail: Option<Box<Detail>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Detail {
    erring: Frequent<32>,
    waiting: Frequent<32>,
    asking: Frequent<8>,
    seen: Distinct,
    first_byte: Times,
}

impl Bucket {
    /// Counts one attempt. `first_byte` is the time to the response head, where there was one.
    pub fn record(&mut self, client: ClientKey, outcome: Outcome, first_byte: Option<Duration>) {
        self.requests += 1;
        let detail = self.detail.get_or_insert_default();
        detail.seen.add(client);
        detail.asking.add(client, 1);
        if let Some(time) = first_byte {
            detail.first_byte.add(time);
        }
        if outcome == Outcome::Error {
            self.errors += 1;
            detail.erring.add(client, 1);
        }
    }

    /// Counts an attempt that has no response head [`super::Judge::slow_after`] its start, when
    /// that time passes. It is recorded too when it ends.
    pub fn record_slow(&mut self, client: ClientKey) {
        self.slow += 1;
        self.detail.get_or_insert_default().waiting.add(client, 1);
    }

    /// Counts such an attempt again: once in each further second without a response head, at most
    /// [`super::SLOW_REPEATS_MAX`] times. Else many requests that all hang would be one second's
    /// evidence.
    pub fn record_still_slow(&mut self, client: ClientKey) {
        self.slow_repeats += 1;
        self.detail.get_or_insert_default().waiting.add(client, 1);
    }

    /// Adds another worker's counts of the same second.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.slow += other.slow;
        self.slow_repeats += other.slow_repeats;
        if let Some(theirs) = &other.detail {
            let ours = self.detail.get_or_insert_default();
            ours.erring.merge(&theirs.erring);
            ours.waiting.merge(&theirs.waiting);
            ours.asking.merge(&theirs.asking);
            ours.seen.merge(&theirs.seen);
            ours.first_byte.merge(&theirs.first_byte);
        }
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        let mut detail = self.detail.take();
        if let Some(detail) = &mut detail {
            **detail = Detail::default();
        }
        *self = Self { detail, ..Self::default() };
    }

    pub fn is_empty(&self) -> bool {
        self.requests == 0 && self.slow == 0 && self.slow_repeats == 0
    }

    /// The clients with most errors, and never more errors than they made.
    pub(super) fn erring(&self) -> impl Iterator<Item = (ClientKey, u32)> + '_ {
        self.detail.iter().flat_map(|detail| detail.erring.entries())
    }

    /// The clients with most slow attempts, repeats counted.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (ClientKey, u32)> + '_ {
        self.detail.iter().flat_map(|detail| detail.waiting.entries())
    }

    /// How many different clients asked, counted up to [`super::clients::MANY`].
    pub(super) fn clients(&self) -> usize {
        self.detail.as_ref().map_or(0, |detail| detail.seen.count())
    }

    /// The most requests that one client can have made.
    pub(super) fn top_client_at_most(&self) -> u64 {
        self.detail.as_ref().map_or(0, |detail| detail.asking.top_at_most(self.requests))
    }

    pub(super) fn first_byte(&self) -> Option<&Times> {
        self.detail.as_ref().map(|detail| &detail.first_byte)
    }
}
