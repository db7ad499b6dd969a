//! One endpoint: `rise` passes in a row make it healthy, `fall` failures in a row unhealthy.

use crate::model::{Health, Tick};

/// How many results in a row change the mind.
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
    /// Any other failure of the network, in the system's words.
    Network(String),
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
    pub last_failure: Option<(Tick, ProbeFailure)>,
}
