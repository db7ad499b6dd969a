//! The health of one endpoint. `rise` passed probes in a row make it healthy, and `fall` failed ones in a
//! row make it unhealthy.
//!
//! Health alone is forgiving, since one lost probe is not an outage. The gate is not forgiving. Any
//! failed probe, even one that does not change the health, ends the clean run that a candidate must show
//! before it gets traffic. So two things are kept: `health` with its two counters, and `clean_since`.

use std::fmt;

use crate::model::{Health, Tick};

/// How many equal results in a row change the health. A 0 is taken as 1, so that no change happens
/// without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Passed probes in a row that make an endpoint healthy.
    pub rise: u32,
    /// Failed probes in a row that make an endpoint unhealthy.
    pub fall: u32,
}

/// Why a probe failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeFailure {
    /// The connection was refused.
    Refused,
    /// The connection was reset.
    Reset,
    /// There was no answer in time.
    Timeout,
    /// The answer has a status that is not expected.
    Status(u16),
    /// The expected text is not in the body.
    Body,
    /// The answer is not HTTP.
    Malformed(String),
    /// The answer is not HTTP/2, although the upstream's protocol is.
    NotHttp2(String),
    /// The endpoint reset the stream (RST_STREAM), with its reason (RFC 9113, section 7).
    StreamReset(String),
    /// The endpoint ended the connection (GOAWAY), with its reason.
    GoneAway(String),
    /// Any other failure of the network, in the system's words.
    Network(String),
}

impl fmt::Display for ProbeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("the connection was refused"),
            Self::Reset => f.write_str("the connection was reset"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Body => f.write_str("the expected text is not in the body"),
            Self::Malformed(why) => write!(f, "not HTTP: {why}"),
            Self::NotHttp2(why) => write!(f, "not HTTP/2: {why}"),
            Self::StreamReset(why) => write!(f, "the stream was reset: {why}"),
            Self::GoneAway(why) => write!(f, "the endpoint ended the connection: {why}"),
            Self::Network(why) => f.write_str(why),
        }
    }
}

/// The result of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    Pass,
    Fail(ProbeFailure),
}

/// The health of one endpoint and the latest run of its results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointHealth {
    pub health: Health,
    /// Passes in a row.
    pub passes: u32,
    /// Failures in a row.
    pub failures: u32,
    /// All failures since nothing was known of the endpoint.
    pub failed: u32,
    /// When the endpoint last became healthy; `None` unless it still is.
    pub healthy_since: Option<Tick>,
    /// Since when the endpoint has been healthy without one failed probe. A failure that leaves it
    /// healthy ends the run all the same, and the next pass begins a new one.
    pub clean_since: Option<Tick>,
    /// The time and the reason of the last failed probe.
    pub last_failure: Option<(Tick, ProbeFailure)>,
}

impl EndpointHealth {
    /// Counts one result that came at the time `at`. Returns the new health if it has changed.
    pub fn observe(&mut self, outcome: &ProbeOutcome, thresholds: Thresholds, at: Tick) -> Option<Health> {
        let before = self.health;
        match outcome {
            ProbeOutcome::Pass => self.pass(thresholds.rise.max(1), at),
            ProbeOutcome::Fail(why) => self.fail(why, thresholds.fall.max(1), at),
        }
        (self.health != before).then_some(self.health)
    }

    /// Whether the last probe was a refused connection, so that nothing listens there.
    pub fn refused(&self) -> bool {
        self.failures > 0 && matches!(self.last_failure, Some((_, ProbeFailure::Refused)))
    }

    fn pass(&mut self, rise: u32, at: Tick) {
        // A late result must not begin a clean run before a failure that is known.
        let at = self.last_failure.as_ref().map_or(at, |(failed, _)| at.max(*failed));
        self.passes = self.passes.saturating_add(1);
        self.failures = 0;
        if self.health != Health::Healthy && self.passes >= rise {
            self.health = Health::Healthy;
            self.healthy_since = Some(at);
        }
        if self.health == Health::Healthy && self.clean_since.is_none() {
            self.clean_since = Some(at);
        }
    }

    fn fail(&mut self, why: &ProbeFailure, fall: u32, at: Tick) {
        let latest = self.last_failure.as_ref().map_or(at, |(failed, _)| at.max(*failed));
        self.passes = 0;
        self.failures = self.failures.saturating_add(1);
        self.failed = self.failed.saturating_add(1);
        self.clean_since = None;
        self.last_failure = Some((latest, why.clone()));
        if self.failures >= fall {
            self.health = Health::Unhealthy;
            self.healthy_since = None;
        }
    }
}
