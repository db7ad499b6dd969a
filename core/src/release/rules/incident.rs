//! An incident of the active color: it fails more now than it usually does.

use crate::release::turn::Turn;
use crate::release::{Kind, Mode};

/// The incident of the active color that holds the running release, if there is one.
pub(crate) fn incident(turn: &Turn) -> Option<&str> {
    let release = turn.running()?;
    let held = release.kind == Kind::Deploy && !release.forced && turn.state.mode(release) == Mode::Enforce;
    turn.state.incident.as_deref().filter(|_| held)
}
