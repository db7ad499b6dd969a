//! A rule has tripped, or the bake ended without proof: where that leads.

use crate::judge::{Numbers, Trip, TripRule, Verdict};
use crate::model::Color;

use super::{bake, degraded, reverting};
use crate::release::record::condition::count;
use crate::release::turn::Turn;
use crate::release::{Bake, By, Condition, Degraded, OnTrip, Outside, Phase, State};

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
        Way::Pinned => degraded::enter(turn, Degraded::Pinned, Box::new(bake), &reason),
        Way::Hold => degraded::enter(turn, Degraded::Hold, Box::new(bake), &reason),
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
            TripRule::HardDown => Outside::Down,
            TripRule::Errors | TripRule::Latency | TripRule::Route => Outside::Errors,
        });
    }
    let health = count(turn.health(old));
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
        Way::Pinned => degraded::enter(turn, Degraded::Pinned, Box::new(bake), &reason),
        Way::Hold | Way::OldSick => degraded::enter(turn, Degraded::OldSick, Box::new(bake), &reason),
    }
}

/// The bake is over and a person decides.
pub(crate) fn hold(turn: &mut Turn, cause: Degraded, reason: &str) {
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
        TripRule::HardDown => format!("{color} is down: {}", count(turn.health(color))),
        TripRule::Errors => format!("too many errors on {color}: {}", bake::describe(&trip.numbers)),
        TripRule::Latency => format!("{color} is too slow: {}", slowness(&trip.numbers)),
        TripRule::Route => format!("too many errors on {color}: {}", bad_route(&trip.numbers)),
    }
}

/// The numbers of a rule about errors in a sentence.
pub(crate) fn errors(numbers: &Numbers) -> String {
    if numbers.rule == Some(TripRule::Route) { bad_route(numbers) } else { bake::describe(numbers) }
}

/// The latency rule's numbers in a sentence.
pub(crate) fn slowness(numbers: &Numbers) -> String {
    let Some(latency) = &numbers.latency else { return "not measured".to_owned() };
    format!(
        "{} of {} requests had no response within {} ms ({:.2} %, expected {:.2} %, borne under {:.2} %), score {:.1} of {:.1}",
        latency.bad,
        latency.n,
        latency.slow_after_ms,
        percent(latency.bad, latency.n),
        100.0 * latency.p0,
        100.0 * latency.p1,
        latency.s,
        latency.h
    )
}

/// The numbers of the route that is over its bound, in a sentence.
fn bad_route(numbers: &Numbers) -> String {
    let Some(route) = numbers.routes.first() else { return bake::describe(numbers) };
    format!(
        "{}: {} errors in {} requests ({:.2} %, expected {:.2} %, borne under {:.2} %), score {:.1} of {:.1}; all routes: {} in {}",
        route.route,
        route.e,
        route.n,
        percent(route.e, route.n),
        100.0 * route.p0,
        100.0 * route.p1,
        route.s,
        route.h,
        numbers.e,
        numbers.n
    )
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}
