//! The form in which a service's record is stored.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::model::{ReleaseId, Tick, Version};
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
    /// When the pin ends, in milliseconds since 1970. A person has given that moment, so the time for which
    /// no process ran counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pin_ends: Option<i64>,
}

/// When the pin of a state ends, in milliseconds since 1970, at this moment of both clocks.
pub(crate) fn pin_end(state: &State, now: Tick, wall: SystemTime) -> Option<i64> {
    let until = state.pin.as_ref()?.until?;
    Some(unix_millis(wall).saturating_add(until.0.saturating_sub(now.0)))
}

/// Moves the end of a stored pin to the stored moment. `saved` is a state as if it had been saved at tick 0. A
/// moment that has passed leaves no time.
pub(crate) fn set_pin_end(saved: &mut State, ends: Option<i64>, wall: SystemTime) {
    if let (Some(until), Some(ends)) = (saved.pin.as_mut().and_then(|pin| pin.until.as_mut()), ends) {
        *until = Tick(ends.saturating_sub(unix_millis(wall)).max(0));
    }
}

fn unix_millis(wall: SystemTime) -> i64 {
    let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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

#[cfg(test)]
mod tests;
