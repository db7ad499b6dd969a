//! Guards: what a command or a fact needs before it is taken, each a refusal by name.

use crate::model::Version;

use super::{Refusal, State};

/// No new release while the store can't be written.
pub(crate) fn writable(state: &State) -> Result<(), Refusal> {
    if state.unwritable { Err(Refusal::StoreUnwritable) } else { Ok(()) }
}

/// No pin.
pub(crate) fn unpinned(state: &State) -> Result<(), Refusal> {
    match &state.pin {
        Some(pin) => Err(Refusal::Pinned { reason: pin.reason.clone() }),
        None => Ok(()),
    }
}

/// Neither active already nor in quarantine.
pub(crate) fn fresh_version(state: &State, version: &Version) -> Result<(), Refusal> {
    if state.active_version() == Some(version) {
        return Err(Refusal::SameVersion { version: version.0.clone() });
    }
    free_version(state, version)
}

/// No release of it waits or runs: a machine that says the same thing twice asks for one release.
pub(crate) fn not_under_way(state: &State, version: &Version) -> Result<(), Refusal> {
    let under_way = state.queued.iter().chain(state.running()).find(|release| release.version == *version);
    under_way.map_or(Ok(()), |release| {
        Err(Refusal::UnderWay { version: version.0.clone(), release: release.id.to_string() })
    })
}

/// Not in quarantine.
pub(crate) fn free_version(state: &State, version: &Version) -> Result<(), Refusal> {
    match state.quarantined(version) {
        Some(entry) => Err(Refusal::Quarantined { version: version.0.clone(), why: entry.reason.clone() }),
        None => Ok(()),
    }
}
