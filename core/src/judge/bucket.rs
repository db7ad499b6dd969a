//! One second of one color's evidence. The buckets of several workers can be added up.
//!
//! Counting is in the path of every request. So it is a handful of additions and a search in a few cache
//! lines, and its memory is fixed. A bucket holds the counts, the clients that make most of the requests
//! and of the errors ([`super::clients`]), and the times to first byte ([`super::times`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clients::{ClientKey, Distinct, Frequent};
use super::failure::{FAILURES_MAX, FailedRequest};
use super::route::{RouteKey, RouteTemplate};
use super::routes::{RouteCount, Routes};
use super::times::Times;

/// How one upstream attempt ended, as the judge counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Error,
}

/// The counts of one second. A bucket takes at most about 18 KiB, 16 of them for routes. Recording
/// allocates memory only for the first attempt after [`Bucket::default`], never after [`Bucket::clear`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bucket {
    pub requests: u64,
    pub errors: u64,
    /// Attempts that had no response head when the time limit of the latency rule passed.
    pub slow: u64,
    /// The further seconds for which these attempts still had no response head.
    pub slow_repeats: u64,
    /// Responses whose body stood still for long, or on which a client gave up then. Unlike `slow` they are
    /// counted at all times, and they make the baseline's share.
    #[serde(skip_serializing_if = "is_zero")]
    pub stalled: u64,
    /// The further seconds for which these bodies stood still.
    #[serde(skip_serializing_if = "is_zero")]
    pub stalled_repeats: u64,
    detail: Option<Box<Detail>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routes: Option<Box<RouteDetail>>,
    /// The first failing requests, at most [`FAILURES_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailedRequest>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct RouteDetail {
    counts: Routes,
    erring: Frequent<32, (RouteKey, ClientKey)>,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Bucket {
    /// Counts one attempt. `first_byte` is the time to the response head, if there was one.
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

    /// Counts the attempt for its route too.
    pub fn record_route(&mut self, route: &RouteTemplate, client: ClientKey, outcome: Outcome) {
        let routes = self.routes.get_or_insert_default();
        let failed = outcome == Outcome::Error;
        routes.counts.add(route, 1, u32::from(failed));
        if failed {
            routes.erring.add((route.key(), client), 1);
        }
    }

    /// Counts the failure of an attempt that was recorded as a success when its response head came.
    pub fn record_broken(&mut self, route: &RouteTemplate, client: ClientKey) {
        self.errors += 1;
        self.detail.get_or_insert_default().erring.add(client, 1);
        let routes = self.routes.get_or_insert_default();
        routes.counts.add(route, 0, 1);
        routes.erring.add((route.key(), client), 1);
    }

    /// Keeps a failing request as an example, if there is room for one more.
    pub fn keep_failure(&mut self, failure: impl FnOnce() -> FailedRequest) {
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(failure());
        }
    }

    /// Counts many attempts at once, of one client or of no known client. The replay of a log and the
    /// simulations use it.
    pub fn add(&mut self, client: Option<ClientKey>, successes: u32, errors: u32) {
        self.requests += u64::from(successes) + u64::from(errors);
        self.errors += u64::from(errors);
        if let Some(client) = client {
            let detail = self.detail.get_or_insert_default();
            detail.seen.add(client);
            detail.asking.add(client, successes.saturating_add(errors));
            if errors > 0 {
                detail.erring.add(client, errors);
            }
        }
    }

    /// Counts many times to first byte at once.
    pub fn add_times(&mut self, time: Duration, count: u32) {
        self.detail.get_or_insert_default().first_byte.add_many(time, count);
    }

    /// Counts an attempt that has no response head [`super::Judge::slow_after`] its start, when that time
    /// passes. When the attempt ends it is recorded as well.
    pub fn record_slow(&mut self, client: ClientKey) {
        self.slow += 1;
        self.detail.get_or_insert_default().waiting.add(client, 1);
    }

    /// Counts a slow attempt again. This happens once in each further second without a response head, at
    /// most [`super::SLOW_REPEATS_MAX`] times. Without repeats, many requests that all hang would be
    /// evidence of one second only.
    pub fn record_still_slow(&mut self, client: ClientKey) {
        self.slow_repeats += 1;
        self.detail.get_or_insert_default().waiting.add(client, 1);
    }

    /// Adds another worker's counts of the same second.
    pub fn merge(&mut self, other: &Self) {
        if let Some(theirs) = &other.routes {
            let ours = self.routes.get_or_insert_default();
            ours.counts.merge(&theirs.counts);
            ours.erring.merge(&theirs.erring);
        }
        let room = FAILURES_MAX.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.iter().take(room).cloned());
        self.merge_all_but_routes(other);
    }

    /// Adds everything except the routes. The rolling baseline sums this up by tens of seconds.
    pub(crate) fn merge_all_but_routes(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.slow += other.slow;
        self.slow_repeats += other.slow_repeats;
        self.stalled += other.stalled;
        self.stalled_repeats += other.stalled_repeats;
        if let Some(theirs) = &other.detail {
            let ours = self.detail.get_or_insert_default();
            ours.erring.merge(&theirs.erring);
            ours.waiting.merge(&theirs.waiting);
            ours.asking.merge(&theirs.asking);
            ours.seen.merge(&theirs.seen);
            ours.first_byte.merge(&theirs.first_byte);
        }
    }

    /// Empties the bucket and keeps its memory.
    pub fn clear(&mut self) {
        let mut detail = self.detail.take();
        if let Some(detail) = &mut detail {
            **detail = Detail::default();
        }
        let mut routes = self.routes.take();
        if let Some(routes) = &mut routes {
            routes.counts.clear();
            routes.erring = Frequent::default();
        }
        let mut failures = std::mem::take(&mut self.failures);
        failures.clear();
        *self = Self { detail, routes, failures, ..Self::default() };
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.requests == 0
            && self.errors == 0
            && self.slow == 0
            && self.slow_repeats == 0
            && self.stalled == 0
            && self.stalled_repeats == 0
    }

    /// The first failing requests of the second.
    pub fn failures(&self) -> &[FailedRequest] {
        &self.failures
    }

    /// Requests and errors by route.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &RouteCount> {
        self.routes.iter().flat_map(|routes| routes.counts.iter())
    }

    /// The clients with most errors on a route.
    pub(crate) fn erring_on(&self, route: RouteKey) -> impl Iterator<Item = (ClientKey, u32)> + '_ {
        let entries = self.routes.iter().flat_map(|routes| routes.erring.entries());
        entries.filter(move |((on, _), _)| *on == route).map(|((_, client), count)| (client, count))
    }

    /// The clients with most errors. A count is never higher than the errors of that client.
    pub(crate) fn erring(&self) -> impl Iterator<Item = (ClientKey, u32)> + '_ {
        self.detail.iter().flat_map(|detail| detail.erring.entries())
    }

    /// The clients with most slow attempts, with repeats.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (ClientKey, u32)> + '_ {
        self.detail.iter().flat_map(|detail| detail.waiting.entries())
    }

    /// How many different clients made requests, counted up to [`super::clients::MANY`].
    pub(crate) fn clients(&self) -> usize {
        self.detail.as_ref().map_or(0, |detail| detail.seen.count())
    }

    /// The most requests that one client can have made.
    pub(crate) fn top_client_at_most(&self) -> u64 {
        self.detail.as_ref().map_or(0, |detail| detail.asking.top_at_most(self.requests))
    }

    /// The times to first byte, if anything was recorded.
    pub(crate) fn first_byte(&self) -> Option<&Times> {
        self.detail.as_ref().map(|detail| &detail.first_byte)
    }
}
