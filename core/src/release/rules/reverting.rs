//! The state reverting. The traffic goes back to the old color, at most once in a release.

use super::{degraded, ending, errands};
use crate::release::record::phase::ACKNOWLEDGE_WAIT;
use crate::release::turn::Turn;
use crate::release::{
    Alarm, Bake, By, Condition, DegradedCause, Effect, Errand, Phase, Reverting, Stage, UpstreamKind, words,
};

/// Waits for the old color, whose health is not known yet.
pub(crate) fn wait(turn: &mut Turn, by: By, bake: Box<Bake>, why: String) {
    let Some(release) = turn.running() else { return };
    let old = release.color.other();
    let patience = turn.state.unknown_wait();
    let until = turn.at + patience;
    let wait = words::seconds(patience);
    let reason = format!("{why}; waits up to {wait} for {old}, whose health is not known yet");
    turn.enter(Phase::Reverting(Reverting { by, why, stage: Stage::Waiting { until, bake } }), reason);
}

/// Moves the traffic back. The caller has asked [`super::trip::way`].
pub(crate) fn swap(turn: &mut Turn, by: By, why: String) {
    let Some(release) = turn.state.release.as_mut() else { return };
    let old = release.color.other();
    release.reverts += 1;
    let containers = release.containers.clone();
    turn.state.active = old;
    turn.state.epoch = turn.state.epoch.next();
    turn.state.discovery.down_since = None;
    turn.state.discovery.armed = false;
    let epoch = turn.state.epoch;
    let deadline = turn.at + ACKNOWLEDGE_WAIT;
    let reason = format!("{why}; {old} gets all traffic back at epoch {epoch}");
    turn.enter(Phase::Reverting(Reverting { by, why, stage: Stage::Swapped { deadline } }), reason);
    turn.then(Effect::Swap { epoch, active: old });
    errands::begin(turn, Errand::OnRevert);
    if turn.state.policy.upstream == UpstreamKind::Managed {
        turn.then(Effect::SaveEvidence { release: containers });
    }
}

/// Ends the wait for the old color's health or for the acknowledgments.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    let Phase::Reverting(reverting) = &release.phase else { return false };
    let (by, reason, old) = (reverting.by, reverting.why.clone(), release.color.other());
    match &reverting.stage {
        Stage::Waiting { until, bake } => {
            let (until, bake) = (*until, bake.clone());
            let health = words::count(turn.health(old));
            if turn.state.is_pinned() {
                degraded::enter(
                    turn,
                    DegradedCause::Pinned,
                    bake,
                    &format!("{reason}; then the service was pinned"),
                );
                return true;
            }
            match turn.condition(old) {
                Condition::Fit => swap(turn, by, reason),
                Condition::Sick => {
                    degraded::enter(
                        turn,
                        DegradedCause::OldSick,
                        bake,
                        &format!("{reason}; {old} is sick: {health}"),
                    );
                }
                Condition::Unknown if turn.at >= until => {
                    let why = format!("{reason}; {old} did not become healthy in time: {health}");
                    degraded::enter(turn, DegradedCause::OldSick, bake, &why);
                }
                Condition::Unknown => return false,
            }
            true
        }
        Stage::Swapped { deadline } => {
            if turn.at < *deadline {
                return false;
            }
            let epoch = turn.state.epoch;
            turn.raise(
                Alarm::Unacknowledged,
                format!("not every worker acknowledged epoch {epoch} within 10 s"),
            );
            ending::went_back(turn, by, reason);
            true
        }
    }
}

/// Every worker has the table of the old color, so the release ends.
pub(crate) fn acknowledged(turn: &mut Turn, by: By, why: String) {
    turn.clear(Alarm::Unacknowledged, "every worker has acknowledged");
    ending::went_back(turn, by, why);
}
