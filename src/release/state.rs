//! A service's record: everything a decision needs, plain data.

use serde::{Deserialize, Serialize};

use crate::judge::{Baseline, Numbers, Verdict};
use crate::model::{Color, Epoch, ReleaseId, ServiceName, Tick, Version};

use super::Policy;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Deploy,
    Rollback,
}

/// Why a release is degraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Degraded {
    Pinned,
    OldSick,
    Hold,
    Inconclusive,
}

/// The states of DESIGN.md section 2 (stable is: no release). Filled by the release room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Queued,
    Checking,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pin {
    pub reason: Option<String>,
    pub until: Option<Tick>,
}

/// One attempt to make the other colour active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Release {
    pub id: ReleaseId,
    pub kind: Kind,
    pub version: Version,
    pub color: Color,
    pub phase: Phase,
    pub reason: String,
    pub verdict: Option<Verdict>,
    pub numbers: Option<Numbers>,
    pub baseline: Option<Baseline>,
}

/// The whole record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub service: ServiceName,
    pub active: Color,
    pub epoch: Epoch,
    pub pin: Option<Pin>,
    pub paused: bool,
    /// The release that runs, or the last one once it is final; `None` only if there never was one.
    pub release: Option<Release>,
    pub queued: Option<Release>,
    #[serde(skip)]
    pub policy: Policy,
}
