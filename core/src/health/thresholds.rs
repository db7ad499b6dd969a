//! One endpoint: `rise` passes in a row make it healthy, `fall` failures in a row unhealthy.
//!
//! Health alone is forgiving (one lost probe is not an outage), the gate is not: any failed probe,
//! also one that changes nothing, ends the clean run that a candidate must show before it gets
//! traffic. So both are kept: `health` with its two counters, and `clean_since`.

use std::fmt;

use crate::model::{Health, Tick};

/// How many results in a row change the mind. A 0 is taken as 1: no result, no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    pub rise: u32,
    pub fall: u32,
}

/// Why a probe failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeFailure {
    Refused,
    Reset,
    Timeout,
    /// An answer with a status that is not expected.
    Status(u16),
    /// The expected text is not in the body.
    Body,
    /// Something that is not HTTP.
    Malformed(String),
    /// Something that is not HTTP/2, where that was to be spoken.
    NotHttp2(String),
    /// The endpoint gave the request up (RST_STREAM), with its reason (RFC 9113, 7).
    StreamReset(String),
    /// The endpoint gave the connection up (GOAWAY), with its reason.
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

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    Pass,
    Fail(ProbeFailure),
}

/// One endpoint's run of results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointHealth {
    pub health: Health,
    /// Passes in a row.
    pub passes: u32,
    /// Failures in a row.
    pub failures: u32,
    /// When it last became healthy (it still is).
    pub healthy_since: Option<Tick>,
    /// Since when it has been healthy without one failed probe. A failure that leaves it healthy
    /// ends the run all the same; the next pass begins a new one.
    pub clean_since: Option<Tick>,
    pub last_failure: Option<(Tick, ProbeFailure)>,
}

impl EndpointHealth {
    /// Counts one result. Returns the new health when it changed.
    pub fn observe(&mut self, outcome: &ProbeOutcome, thresholds: Thresholds, at: Tick) -> Option<Health> {
        let before = self.health;
        match outcome {
            ProbeOutcome::Pass => self.pass(thresholds.rise.max(1), at),
            ProbeOutcome::Fail(why) => self.fail(why, thresholds.fall.max(1), at),
        }
        (self.health != before).then_some(self.health)
    }

    /// Whether the last probe was a refused connect: nothing listens there.
    pub fn refused(&self) -> bool {
        self.failures > 0 && matches!(self.last_failure, Some((_, ProbeFailure::Refused)))
    }

    fn pass(&mut self, rise: u32, at: Tick) {
        // A result that comes late must not begin a clean run before a failure that is known.
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
        self.clean_since = None;
        self.last_failure = Some((latest, why.clone()));
        if self.failures >= fall {
            self.health = Health::Unhealthy;
            self.healthy_since = None;
        }
    }
}
