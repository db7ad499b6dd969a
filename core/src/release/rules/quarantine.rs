//! The quarantine holds versions that were reverted. They are not released again without `--force`.

use crate::model::{ReleaseId, Version};

use crate::release::turn::Turn;
use crate::release::{QuarantineEntry, Refusal, State, guards};

/// Puts a version in quarantine. If the list is full the oldest entry is dropped.
pub(crate) fn add(turn: &mut Turn, version: Version, reason: String, release: ReleaseId) {
    let list = &mut turn.state.quarantine;
    list.retain(|entry| entry.version != version);
    list.push(QuarantineEntry { version, reason, release });
    let over = list.len().saturating_sub(State::QUARANTINE_MAX);
    list.drain(..over);
    turn.changed();
}

/// Takes a version out of quarantine. `false` means that it was not there.
pub(crate) fn lift(turn: &mut Turn, version: &Version, why: &str) -> bool {
    let before = turn.state.quarantine.len();
    turn.state.quarantine.retain(|entry| entry.version != *version);
    if turn.state.quarantine.len() == before {
        return false;
    }
    turn.note(format!("version {version} is out of quarantine: {why}"));
    turn.changed();
    true
}

/// Carries out a person's `quarantine rm`.
pub(crate) fn unquarantine(turn: &mut Turn, version: &Version) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    if lift(turn, version, "a person said so") {
        Ok(())
    } else {
        Err(Refusal::NotQuarantined(version.0.clone()))
    }
}
