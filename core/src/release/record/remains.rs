//! The remains of a service whose record is lost, as data: the releases of its history, and the
//! containers that its engines have.

use crate::model::{Color, ReleaseId, Version};
use crate::release::StateName;

/// A release of the history, with the fields that show which color had the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRelease {
    pub id: ReleaseId,
    pub color: Color,
    /// The state as it was stored last.
    pub state: StateName,
    /// Whether the traffic was ever switched to it.
    pub promoted: bool,
    /// Whether it has ended.
    pub finished: bool,
}

/// A set of containers, as its labels and its engine describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerSet {
    pub id: ReleaseId,
    /// The number in `id`; 0 if the id has no number.
    pub number: u64,
    pub color: Color,
    pub version: Version,
    /// The image that the containers were created from, if the labels name it.
    pub image: Option<String>,
    /// How many containers of the set run.
    pub running: usize,
    /// When the first of the running containers was started, as RFC 3339. It is empty if no container
    /// runs.
    pub since: String,
}
