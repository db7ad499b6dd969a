//! The consequences of a rule that tripped, and of a bake that ended without proof.

use crate::judge::{Trip, TripRule, Verdict};
use crate::model::Color;

use super::{degraded, reverting};
use crate::release::turn::Turn;
use crate::release::{Bake, By, Condition, DegradedCause, ExternalCause, OnTrip, Phase, State, words};

/// The way from a bad candidate to the old color, or the obstacle on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The old color is fit now, so the traffic goes back.
    Back,
    /// The old color's health is not known yet, so the release waits a short time.
    Wait,
    /// The service is pinned.
    Pinned,
    /// The configuration says `on_trip = "hold"`.
    Hold,
    /// There is no healthy color to go back to.
    OldSick,
}

/// The guard of a revert. The old color must be fit now, the service must not be pinned, and the release
/// must not have been reverted before.
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

/// Acts on a rule that has tripped in a bake.
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

/// Whether the old color fails greenlight's synthetic requests too, so that the cause is outside. A
/// hard-down candidate does not ask this.
pub(crate) fn fails_too(bake: &Bake, trip: &Trip) -> bool {
    trip.rule != TripRule::HardDown && bake.control.is_over(trip.numbers.p0)
}

/// Writes the verdict and its numbers into the release.
pub(crate) fn record(turn: &mut Turn, trip: &Trip) {
    if let Some(release) = turn.state.release.as_mut() {
        release.verdict = Some(Verdict::Fail);
        release.numbers = Some(trip.numbers.clone());
    }
}

/// The old color is sick or failing too, so the cause is outside and nothing is moved.
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

/// Acts on a bake that ended without proof, with `on_inconclusive = "revert"`.
pub(crate) fn unproven(turn: &mut Turn, reason: String) {
    let Some(bake) = current_bake(turn) else { return };
    match way(&turn.state, OnTrip::Revert) {
        Way::Back => reverting::swap(turn, By::Judge, reason),
        Way::Wait => reverting::wait(turn, By::Judge, Box::new(bake), reason),
        Way::Pinned => degraded::enter(turn, DegradedCause::Pinned, Box::new(bake), &reason),
        Way::Hold | Way::OldSick => degraded::enter(turn, DegradedCause::OldSick, Box::new(bake), &reason),
    }
}

/// The bake is over, and a person is to decide.
pub(crate) fn hold(turn: &mut Turn, cause: DegradedCause, reason: &str) {
    if let Some(bake) = current_bake(turn) {
        degraded::enter(turn, cause, Box::new(bake), reason);
    }
}

/// A copy of the running release's bake, if it has one.
pub(crate) fn current_bake(turn: &Turn) -> Option<Bake> {
    turn.running().and_then(|release| release.phase.bake()).cloned()
}

/// The trip as a sentence.
pub(crate) fn why(turn: &Turn, color: Color, trip: &Trip) -> String {
    match trip.rule {
        TripRule::HardDown => format!("{color} is down: {}", words::count(turn.health(color))),
        TripRule::Errors => format!("too many errors on {color}: {}", words::describe(&trip.numbers)),
        TripRule::Latency => format!("{color} is too slow: {}", words::slowness(&trip.numbers)),
        TripRule::Route => format!("too many errors on {color}: {}", words::bad_route(&trip.numbers)),
    }
}
