//! One color's set of endpoints: whose it is, what runs there, and what is to become of it.

use serde::{Deserialize, Serialize};

use crate::model::{Color, ReleaseId, Tick, Version};

/// One color.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The release that the endpoints, and the evidence about them, belong to. `None` before
    /// the color's first release.
    pub release: Option<ReleaseId>,
    pub version: Option<Version>,
    /// Whose containers they are: the release's own, or those kept from the one that a rollback
    /// went back to.
    pub containers: Option<ReleaseId>,
    pub fate: Fate,
}

/// What becomes of a color's set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nothing: it is active, a candidate, the old color of a bake, or nothing runs there.
    #[default]
    Free,
    /// Warm until `standby_ttl` is over, then drained.
    Warm { drain_at: Tick },
    /// What is in flight may finish; taken as done at `until` even if nobody says so.
    Draining { until: Tick },
    /// Nothing lives on it any more. A fixed color stays standby and probed.
    Drained,
}

/// A stopped set of managed containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSet {
    /// The last release that they served.
    pub release: ReleaseId,
    pub containers: ReleaseId,
    pub version: Version,
    pub color: Color,
}

/// What a rollback after success goes back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    pub release: Option<ReleaseId>,
    pub containers: Option<ReleaseId>,
    /// `initial` for what ran before any release.
    pub version: Version,
    pub color: Color,
}
