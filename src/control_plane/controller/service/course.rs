//! The judge's course of a release, second by second.

use crate::judge::Series;
use crate::model::ReleaseId;

/// The course of the last release, with the state of its writing.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) release: ReleaseId,
    pub(crate) series: Series,
    /// Closed seconds since it was last written.
    pub(crate) unwritten: u32,
    /// Closed seconds since the release ended.
    pub(crate) after: u32,
    /// Whether the release waited for a person in the last closed second.
    pub(crate) waits: bool,
}

impl Course {
    pub(crate) fn new(release: ReleaseId, series: Series) -> Self {
        Self { release, series, unwritten: 0, after: 0, waits: false }
    }
}
