//! Containers of both colors that end together, as in a restart of their engine.
//!
//! The candidate's containers may be seen to end some moments before the old color's. A revert in such a
//! moment would go to a color that ends next, and would put a good version in quarantine. So a trip waits in
//! two cases:
//!
//! - An engine does not answer. Its absence is an outside cause for `fall` x (`interval` + `timeout`). If the
//!   old color is still fit after that time, the candidate's trouble is its own.
//! - Containers of the candidate have ended and it is down. The old color is probed once more first, which
//!   takes `interval` + `timeout`. The judge's other rules do not wait.

use std::time::Duration;

use crate::judge::{Trip, TripRule};

use crate::release::turn::Turn;
use crate::release::{Bake, Condition, ExternalCause, Mode, Phase, State, words};

fn one_probe(state: &State) -> Duration {
    state.policy.interval + state.policy.timeout
}

/// Whether a trip waits, which has this reason in words. It either begins an outside cause, or waits for one more probe of the old color.
pub(crate) fn waits(turn: &mut Turn, tripped: &Trip, reason: &str) -> bool {
    let at = turn.at;
    let patience = one_probe(&turn.state);
    let away = turn.state.engine_away.is_some();
    let fall = turn.state.policy.thresholds.fall;
    let Some(release) = turn.running() else { return false };
    let present = turn.health(release.color).map_or(0, |health| health.total);
    if turn.condition(release.color.other()) != Condition::Fit {
        return false;
    }
    let Some(Phase::Baking(bake)) = turn.state.release.as_mut().map(|release| &mut release.phase) else {
        return false;
    };
    if away && !bake.excused {
        bake.outside = Some(ExternalCause::Engine);
        bake.held_until = Some(at + patience * fall);
        let wait = words::seconds(patience * fall);
        turn.note(format!("{reason}; but an engine does not answer: nothing is moved for {wait}"));
        turn.changed();
        return true;
    }
    let ended = bake.endpoints.is_some_and(|before| present < before);
    let held =
        (tripped.rule == TripRule::HardDown && ended).then(|| bake.held_until.unwrap_or(at + patience));
    if bake.held_until != held {
        bake.held_until = held;
        turn.counted();
    }
    held.is_some_and(|until| at < until)
}

/// No trip waits any more.
pub(crate) fn forget(turn: &mut Turn) {
    if current(turn).and_then(|bake| bake.held_until.take()).is_some() {
        turn.counted();
    }
}

/// What becomes of the outside cause that an absent engine is.
pub(crate) enum Absence {
    Lasts,
    /// It is over, so the bake goes on with a score of 0.
    Over,
    /// It has lasted long enough for a trip to count.
    Excused,
    /// The bake can't go on, for this reason.
    Stuck(String),
}

/// Asks what becomes of the outside cause now.
pub(crate) fn absence(turn: &Turn, mode: Mode) -> Absence {
    let Some(release) = turn.running() else { return Absence::Lasts };
    let (candidate, old) = (turn.condition(release.color), turn.condition(release.color.other()));
    let Some(bake) = release.phase.bake() else { return Absence::Lasts };
    let waited = bake.held_until.is_none_or(|until| turn.at >= until);
    let answers = turn.state.engine_away.is_none();
    if mode != Mode::Enforce || (answers && candidate == Condition::Fit) {
        return Absence::Over;
    }
    if waited && old == Condition::Fit {
        let unknown = candidate == Condition::Unknown && answers;
        return if unknown { Absence::Over } else { Absence::Excused };
    }
    if turn.at < bake.limit || turn.state.unwritable {
        return Absence::Lasts;
    }
    let health = words::count(turn.health(release.color.other()));
    Absence::Stuck(format!("an engine did not answer, and the old color was not fit in time: {health}"))
}

/// The trip has waited for long enough, so it counts.
pub(crate) fn excuse(turn: &mut Turn) {
    let Some(bake) = current(turn) else { return };
    bake.outside = None;
    bake.held_until = None;
    bake.excused = true;
    turn.changed();
}

/// Every engine answers again. The old color gets the time for its probes anew.
pub(crate) fn engines_answer(turn: &mut Turn) {
    let until = turn.at + one_probe(&turn.state) * turn.state.policy.thresholds.fall;
    let Some(bake) = current(turn) else { return };
    let excused = std::mem::take(&mut bake.excused);
    let held = bake.outside == Some(ExternalCause::Engine);
    if held {
        bake.held_until = Some(until);
    }
    if excused || held {
        turn.counted();
    }
}

fn current(turn: &mut Turn) -> Option<&mut Bake> {
    turn.state.release.as_mut().and_then(|release| release.phase.bake_mut())
}
