//! A rule has tripped, or the bake ended without proof: where that leads.

use crate::judge::{Trip, TripRule, Verdict};
use crate::model::Color;

use super::{degraded, reverting};
use crate::release::turn::Turn;
use crate::release::{Bake, By, Condition, DegradedCause, ExternalCause, OnTrip, Phase, State, words};

/// What stands between a bad candidate and the old color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The old color is healthy now.
    Back,
    /// Its health is not known yet: a short wait.
    Wait,
    Pinned,
    Hold,
    /// There is no healthy color to go back to.
    OldSick,
}

/// The guard of reverting: the old color is healthy NOW, not pinned, first revert of this release.
pub(crate) fn way(state: &State, on_trip: OnTrip) -> Way {
    let Some(release) = state.running() else { return Way::OldSick };
    if state.is_pinned() {
        return Way::Pinned;
    }
    if on_trip == OnTrip::Hold {
        return Way::Hold;
    }
    if release.reverts > 0 {
        return Way::OldSick;
    }
    match state.condition(release.color.other()) {
        Condition::Fit => Way::Back,
        Condition::Unknown => Way::Wait,
        Condition::Sick => Way::OldSick,
    }
}

/// A rule has tripped in a bake.
pub(crate) fn tripped(turn: &mut Turn, trip: &Trip) -> bool {
    let Some(release) = turn.state.release.as_ref() else { return false };
    let color = release.color;
    record(turn, trip);
    let reason = why(turn, color, trip);
    let Some(bake) = current_bake(turn) else { return false };
    let failing_too = fails_too(&bake, trip);
    match way(&turn.state, turn.state.policy.on_trip) {
        Way::Back | Way::Wait if failing_too => outside(turn, trip.rule, &reason),
        Way::Back => reverting::swap(turn, By::Judge, reason),
        Way::Wait => reverting::wait(turn, By::Judge, Box::new(bake), reason),
        Way::Pinned => degraded::enter(turn, DegradedCause::Pinned, Box::new(bake), &reason),
        Way::Hold => degraded::enter(turn, DegradedCause::Hold, Box::new(bake), &reason),
        Way::OldSick => outside(turn, trip.rule, &reason),
    }
    true
}

/// Whether the old color fails our own requests too: then the cause is outside.
pub(crate) fn fails_too(bake: &Bake, trip: &Trip) -> bool {
    trip.rule != TripRule::HardDown && bake.control.is_over(trip.numbers.p1)
}

/// Writes the verdict and its numbers into the release.
pub(crate) fn record(turn: &mut Turn, trip: &Trip) {
    if let Some(release) = turn.state.release.as_mut() {
        release.verdict = Some(Verdict::Fail);
        release.numbers = Some(trip.numbers.clone());
    }
}

/// The old color is sick too: the cause is outside.
fn outside(turn: &mut Turn, rule: TripRule, reason: &str) {
    let Some(release) = turn.state.release.as_mut() else { return };
    let old = release.color.other();
    if let Phase::Baking(bake) = &mut release.phase {
        bake.outside = Some(match rule {
            TripRule::HardDown => ExternalCause::Down,
            TripRule::Errors | TripRule::Latency | TripRule::Route => ExternalCause::Errors,
        });
    }
    let health = words::count(turn.health(old));
    let how = if turn.condition(old) == Condition::Sick { "is sick" } else { "fails our own requests" };
    turn.note(format!("{reason}; but {old} {how} too ({health}): the cause is outside, nothing is moved"));
    turn.changed();
}

/// The bake ended without proof and `on_inconclusive = revert`.
pub(crate) fn unproven(turn: &mut Turn, reason: String) {
    let Some(bake) = current_bake(turn) else { return };
    match way(&turn.state, OnTrip::Revert) {
        Way::Back => reverting::swap(turn, By::Judge, reason),
        Way::Wait => reverting::wait(turn, By::Judge, Box::new(bake), reason),
        Way::Pinned => degraded::enter(turn, DegradedCause::Pinned, Box::new(bake), &reason),
        Way::Hold | Way::OldSick => degraded::enter(turn, DegradedCause::OldSick, Box::new(bake), &reason),
    }
}

/// The bake is over and a person decides.
pub(crate) fn hold(turn: &mut Turn, cause: DegradedCause, reason: &str) {
    if let Some(bake) = current_bake(turn) {
        degraded::enter(turn, cause, Box::new(bake), reason);
    }
}

pub(crate) fn current_bake(turn: &Turn) -> Option<Bake> {
    turn.running().and_then(|release| release.phase.bake()).cloned()
}

/// The trip in a sentence.
pub(crate) fn why(turn: &Turn, color: Color, trip: &Trip) -> String {
    match trip.rule {
        TripRule::HardDown => format!("{color} is down: {}", words::count(turn.health(color))),
        TripRule::Errors => format!("too many errors on {color}: {}", words::describe(&trip.numbers)),
        TripRule::Latency => format!("{color} is too slow: {}", words::slowness(&trip.numbers)),
        TripRule::Route => format!("too many errors on {color}: {}", words::bad_route(&trip.numbers)),
    }
}
