//! A service's record as it is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ReleaseId, Version};
use crate::release::{Notice, State};

use super::containers::Stored;

/// A write that takes longer counts as failed: the loop serves other services too.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// The format of [`Record`]; a newer one is refused.
pub(crate) const FORMAT: u32 = 1;

/// A service's record as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) format: u32,
    /// Rebased as if it had been saved at tick 0: what is stored of a deadline is the time left.
    pub(crate) state: State,
    /// Since when each version is in quarantine (RFC 3339, for people).
    #[serde(default)]
    pub(crate) quarantined_at: BTreeMap<Version, String>,
    /// What else is known of its containers.
    #[serde(default)]
    pub(crate) containers: Stored,
    /// Ends of releases that people may not have been told of.
    #[serde(rename = "untold", default)]
    pub(crate) pending: Vec<PendingNotice>,
}

/// The state in a stored record, as it was saved (at tick 0).
pub(crate) fn record_state(json: &str) -> Result<State, String> {
    let record: Record = serde_json::from_str(json).map_err(|why| why.to_string())?;
    Ok(record.state)
}

/// The end of a release that not every notifier has been told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingNotice {
    pub(crate) release: ReleaseId,
    pub(crate) notice: Notice,
    pub(crate) reason: String,
    /// RFC 3339.
    pub(crate) time: String,
}
