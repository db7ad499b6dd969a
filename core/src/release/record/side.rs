//! One color's part of the record: the owner of its endpoints, its version, its containers, and their
//! future.

use serde::{Deserialize, Serialize};

use crate::model::{Color, ReleaseId, Tick, Version};

/// One color's part of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The release that the endpoints and the evidence about them belong to. It is `None` before the
    /// color's first release.
    pub release: Option<ReleaseId>,
    pub version: Option<Version>,
    /// The release that created the containers. It is the side's own release, or the one that a rollback
    /// went back to.
    pub containers: Option<ReleaseId>,
    pub fate: Fate,
}

/// The future of a color's set of endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nothing is planned. The color is active, a candidate or the old color of a bake, or nothing runs
    /// there.
    #[default]
    Free,
    /// The color stays warm until `standby_ttl` is over at `drain_at`. Then it is drained.
    Warm { drain_at: Tick },
    /// Requests in flight may finish. At `until` the drain counts as done even if no shell has reported
    /// it.
    Draining { until: Tick },
    /// No request is in flight on the color any more. A fixed color stays standby and probed.
    Drained,
}

/// A stopped set of managed containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSet {
    /// The last release that the containers served.
    pub release: ReleaseId,
    pub containers: ReleaseId,
    pub version: Version,
    pub color: Color,
}

/// The release that a rollback after success goes back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    pub release: Option<ReleaseId>,
    pub containers: Option<ReleaseId>,
    /// The version; `initial` if no release made it.
    pub version: Version,
    pub color: Color,
}
