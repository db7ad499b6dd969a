//! Guards are the conditions of commands and facts. Each returns `Ok` if its condition holds, or a
//! refusal that names the reason.

use crate::model::Version;

use super::{Refusal, State};

/// The store can be written. No release begins while it can't.
pub(crate) fn writable(state: &State) -> Result<(), Refusal> {
    if state.unwritable { Err(Refusal::StoreUnwritable) } else { Ok(()) }
}

/// The service is not pinned.
pub(crate) fn unpinned(state: &State) -> Result<(), Refusal> {
    match &state.pin {
        Some(pin) => Err(Refusal::Pinned { reason: pin.reason.clone() }),
        None => Ok(()),
    }
}

/// The version is not active already and is not in quarantine. An active version whose containers do not
/// all run may be released again, since that repairs it.
pub(crate) fn fresh_version(state: &State, version: &Version) -> Result<(), Refusal> {
    if state.active_version() == Some(version) && !state.is_short(state.active) {
        return Err(Refusal::SameVersion { version: version.0.clone() });
    }
    free_version(state, version)
}

/// No release of this version waits or runs, so a machine that repeats its message asks for one release
/// only.
pub(crate) fn not_under_way(state: &State, version: &Version) -> Result<(), Refusal> {
    let under_way = state.queued.iter().chain(state.running()).find(|release| release.version == *version);
    under_way.map_or(Ok(()), |release| {
        Err(Refusal::UnderWay { version: version.0.clone(), release: release.id.to_string() })
    })
}

/// The version is not in quarantine.
pub(crate) fn free_version(state: &State, version: &Version) -> Result<(), Refusal> {
    match state.quarantined(version) {
        Some(entry) => Err(Refusal::Quarantined { version: version.0.clone(), why: entry.reason.clone() }),
        None => Ok(()),
    }
}
