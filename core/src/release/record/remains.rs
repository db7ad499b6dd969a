//! What is left of a service when its record is lost, as data: the releases of its history and the
//! containers that its engines have.

use crate::model::{Color, ReleaseId, Version};
use crate::release::StateName;

/// A release of the history, as far as it says which color had the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRelease {
    pub id: ReleaseId,
    pub color: Color,
    /// The state as it was stored last.
    pub state: StateName,
    /// Whether it was switched to at any time.
    pub promoted: bool,
    /// Whether it has ended.
    pub finished: bool,
}

/// A set of containers, as its labels and its engines describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerSet {
    pub id: ReleaseId,
    /// The number in `id`; 0 where there is none.
    pub number: u64,
    pub color: Color,
    pub version: Version,
    /// The image that the containers were created from, where the labels say so.
    pub image: Option<String>,
    /// How many of its containers run.
    pub running: usize,
    /// When the first of those that run was started: RFC 3339, empty if none runs.
    pub since: String,
}
