//! The form in which a service's record is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ReleaseId, Version};
use crate::release::{Notice, State};

use super::containers::Stored;

/// The longest time of a write. A write that takes longer counts as failed, since the loop serves
/// other services too.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// The format of [`Record`]. A record with a newer format is refused.
pub(crate) const FORMAT: u32 = 1;

/// The stored record of a service.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) format: u32,
    /// The state, moved as if it had been saved at tick 0. So a stored deadline is the time that is
    /// left.
    pub(crate) state: State,
    /// When each version came into quarantine (RFC 3339, for people).
    #[serde(default)]
    pub(crate) quarantined_at: BTreeMap<Version, String>,
    /// The data about its containers beside the state.
    #[serde(default)]
    pub(crate) containers: Stored,
    /// Ends of releases that may not have been announced yet.
    #[serde(rename = "untold", default)]
    pub(crate) pending: Vec<PendingNotice>,
}

/// Returns the state in a stored record, as it was saved (at tick 0). Fails with the reason if it
/// can't be parsed.
pub(crate) fn record_state(json: &str) -> Result<State, String> {
    let record: Record = serde_json::from_str(json).map_err(|why| why.to_string())?;
    Ok(record.state)
}

/// The end of a release that not every notifier has sent yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingNotice {
    pub(crate) release: ReleaseId,
    pub(crate) notice: Notice,
    pub(crate) reason: String,
    /// When the release ended, RFC 3339.
    pub(crate) time: String,
}
