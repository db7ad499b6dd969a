//! The trigger `on_healthy` acts on an edge and not on a level. The edge is that the other color comes up
//! after it was down for 10 s, with nothing running there, while the active color was healthy all the
//! time.

use crate::model::Color;

use super::accept;
use crate::release::record::outlook::DOWN_BEFORE_EDGE;
use crate::release::turn::Turn;
use crate::release::{Condition, Source, Stretch};

/// Counts the time for which the other color is down, and starts a release at the edge.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    if !turn.state.discovers() {
        return false;
    }
    if turn.state.seen.blue.is_some() || turn.state.seen.green.is_some() {
        return anew(turn);
    }
    let other = turn.state.active.other();
    // A candidate is watched by its own release, and a revert or a failure disarms the edge.
    if turn.state.stretch() == Stretch::Before || turn.state.discovery.disarmed[other] {
        forget(turn);
        return false;
    }
    match turn.condition(turn.state.active) {
        Condition::Sick => {
            forget(turn);
            return false;
        }
        // After a restart the health is unknown. An armed edge stays armed, but no time is counted.
        Condition::Unknown => {
            pause_count(turn);
            return false;
        }
        Condition::Fit => {}
    }
    let Some(health) = turn.health(other) else { return false };
    if health.total > 0 && health.refused {
        count_down(turn);
        return false;
    }
    pause_count(turn);
    if !turn.state.discovery.armed || health.healthy == 0 {
        return false;
    }
    turn.state.discovery.armed = false;
    // A release that waits is for the same color, and the containers that it waits for must not replace
    // it.
    if turn.state.queued.is_some() {
        turn.counted();
        return false;
    }
    let ask = accept::Ask { version: None, auto_promote: None, force: false, source: Source::Discovery };
    accept::deploy(turn, &ask).is_ok()
}

/// Where the containers are known by their ids, the edge is a color without traffic in which none of its
/// earlier containers is left. A container that was added or started again is no edge.
fn anew(turn: &mut Turn) -> bool {
    let candidate = turn.state.running().map(|release| release.color);
    for color in Color::ALL {
        let Some(seen) = turn.state.seen[color].clone() else { continue };
        let followed = color == turn.state.active || candidate == Some(color);
        let known = &turn.state.discovery.known[color];
        // Containers that are gone for a while may come back, so a color that is down keeps its known
        // ids.
        if (known.is_none() || (followed && !seen.is_empty())) && known.as_ref() != Some(&seen) {
            turn.state.discovery.known[color] = Some(seen);
            turn.counted();
        }
    }
    let other = turn.state.active.other();
    let Some(seen) = turn.state.seen[other].clone().filter(|seen| !seen.is_empty()) else { return false };
    let known = turn.state.discovery.known[other].as_deref().unwrap_or_default();
    if seen.iter().any(|id| known.contains(id)) {
        return false;
    }
    turn.state.discovery.known[other] = Some(seen);
    turn.state.discovery.disarmed[other] = false;
    turn.changed();
    // A release that waits is for the same color and finds these containers there.
    if turn.state.queued.is_some() {
        return false;
    }
    let ask = accept::Ask { version: None, auto_promote: None, force: false, source: Source::Discovery };
    accept::deploy(turn, &ask).is_ok()
}

/// Counts the time for which nothing runs in the other color, and arms the edge after 10 s.
fn count_down(turn: &mut Turn) {
    let at = turn.at;
    let discovery = &mut turn.state.discovery;
    let before = discovery.clone();
    let since = *discovery.down_since.get_or_insert(at);
    discovery.armed |= at.since(since) >= DOWN_BEFORE_EDGE;
    if *discovery != before {
        turn.counted();
    }
}

/// Stops the count. An armed edge stays armed.
fn pause_count(turn: &mut Turn) {
    if turn.state.discovery.down_since.take().is_some() {
        turn.counted();
    }
}

/// Stops the count and takes an armed edge back.
fn forget(turn: &mut Turn) {
    pause_count(turn);
    if std::mem::take(&mut turn.state.discovery.armed) {
        turn.counted();
    }
}
