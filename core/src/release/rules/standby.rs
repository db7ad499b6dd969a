//! The future of the color that lost. It stays warm and is then drained. Managed containers are also
//! stopped, kept, and in the end removed.

use std::time::Duration;

use crate::model::{Color, ReleaseId};

use crate::release::record::side::KeptSet;
use crate::release::turn::Turn;
use crate::release::{Effect, Fate, Refusal, Side, UpstreamKind};

/// A drain that has not reported counts as over this long after `drain_timeout`.
const DRAIN_SLACK: Duration = Duration::from_secs(10);

/// Begins a drain when `standby_ttl` is over, and ends one that never reported.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    for color in Color::ALL {
        match turn.state.sides[color].fate {
            Fate::Warm { drain_at } if turn.at >= drain_at => {
                drain(turn, color);
                return true;
            }
            Fate::Draining { until } if turn.at >= until => {
                drained(turn, color);
                return true;
            }
            Fate::Free | Fate::Warm { .. } | Fate::Draining { .. } | Fate::Drained => {}
        }
    }
    false
}

/// Begins to drain a color that is not active. It gets no new request, and requests in flight may finish.
pub(crate) fn drain(turn: &mut Turn, color: Color) {
    if color == turn.state.active {
        return;
    }
    let until = turn.at + turn.state.policy.drain_timeout + DRAIN_SLACK;
    let side = &mut turn.state.sides[color];
    side.fate = Fate::Draining { until };
    let release = side.release.clone();
    turn.then(Effect::Drain { color, release });
}

/// A shell reports that no request is in flight on the color any more.
pub(crate) fn said_drained(
    turn: &mut Turn,
    color: Color,
    release: Option<&ReleaseId>,
) -> Result<(), Refusal> {
    let side = &turn.state.sides[color];
    if side.release.as_ref() != release {
        return Err(Refusal::Stale(release.map_or("no release".to_owned(), ToString::to_string)));
    }
    match side.fate {
        // Containers are stopped only when the store can say that their color is not active. So the end
        // of the drain waits.
        Fate::Draining { .. } if turn.state.unwritable => {
            turn.state.sides[color].fate = Fate::Draining { until: turn.at };
            turn.counted();
            Ok(())
        }
        Fate::Draining { .. } => {
            drained(turn, color);
            Ok(())
        }
        Fate::Free | Fate::Warm { .. } | Fate::Drained => {
            Err(Refusal::Unexpected { fact: "drained", state: turn.state.state_word() })
        }
    }
}

/// Ends a drain. A fixed color stays standby, and managed containers are stopped and kept.
fn drained(turn: &mut Turn, color: Color) {
    match turn.state.policy.upstream {
        UpstreamKind::Fixed => {
            turn.state.sides[color].fate = Fate::Drained;
            turn.note(format!("{color} is drained; it stays standby and probed"));
        }
        UpstreamKind::Managed => {
            let side = std::mem::take(&mut turn.state.sides[color]);
            turn.state.health[color] = None;
            if let Some(containers) = side.containers.clone() {
                turn.note(format!("{color} is drained; the containers of {containers} are stopped and kept"));
                turn.then(Effect::Stop { release: containers, color });
            }
            keep(turn, side, color);
        }
    }
    turn.changed();
}

/// Adds a set to the kept ones. The oldest sets beyond `keep_releases` are removed.
pub(crate) fn keep(turn: &mut Turn, side: Side, color: Color) {
    if let (Some(release), Some(containers), Some(version)) = (side.release, side.containers, side.version) {
        turn.state.kept.retain(|kept| kept.containers != containers);
        turn.state.kept.push(KeptSet { release, containers, version, color });
    }
    while turn.state.kept.len() > turn.state.policy.keep_releases {
        let oldest = turn.state.kept.remove(0);
        turn.then(Effect::Remove { release: oldest.containers, color: oldest.color });
    }
    turn.changed();
}
