//! `trigger = "on_healthy"`: an edge, not a level. The other colour was down, with nothing running
//! there, for 10 s while the active one was healthy throughout; then it came up.

use super::outlook::DOWN_BEFORE_EDGE;
use super::turn::Turn;
use super::{Condition, Source, Stretch, accept};

pub(super) fn advance(turn: &mut Turn) -> bool {
    if !turn.state.discovers() {
        return false;
    }
    let other = turn.state.active.other();
    // A candidate is watched by its own release; a revert or a failure disarms.
    if turn.state.stretch() == Stretch::Before || turn.state.discovery.disarmed[other] {
        forget(turn);
        return false;
    }
    match turn.condition(turn.state.active) {
        Condition::Sick => {
            forget(turn);
            return false;
        }
        // After a restart: what was seen before it stays seen, but no time is counted.
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
    // One that waits is for the same colour: it is not replaced by what it waits for.
    if turn.state.queued.is_some() {
        turn.counted();
        return false;
    }
    let ask = accept::Ask { version: None, auto_promote: None, force: false, source: Source::Discovery };
    accept::deploy(turn, &ask).is_ok()
}

fn count_down(turn: &mut Turn) {
    let at = turn.at;
    let discovery = &mut turn.state.discovery;
    let before = *discovery;
    let since = *discovery.down_since.get_or_insert(at);
    discovery.armed |= at.since(since) >= DOWN_BEFORE_EDGE;
    if *discovery != before {
        turn.counted();
    }
}

fn pause_count(turn: &mut Turn) {
    if turn.state.discovery.down_since.take().is_some() {
        turn.counted();
    }
}

fn forget(turn: &mut Turn) {
    pause_count(turn);
    if std::mem::take(&mut turn.state.discovery.armed) {
        turn.counted();
    }
}
