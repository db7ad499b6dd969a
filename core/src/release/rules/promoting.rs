//! The state promoting. The record says that the candidate is active, and every worker is asked to
//! acknowledge.

use crate::judge::{Baseline, Bucket};

use super::bake;
use crate::release::record::phase::ACKNOWLEDGE_WAIT;
use crate::release::turn::Turn;
use crate::release::{Alarm, Condition, Effect, Phase, Promoting, Side};

/// Switches to the candidate. The caller has asked the gate, the pin and the store.
pub(crate) fn promote(turn: &mut Turn, why: &str) {
    let Some(release) = turn.state.release.as_mut() else { return };
    release.gated = true;
    let (color, old) = (release.color, turn.state.active);
    // A first release. No release has ever proved the old color, and it is down, or the release goes to
    // the active color itself.
    let unclaimed = matches!(&turn.state.sides[old], Side { release: None, version: None, .. });
    let alone = color == old || (unclaimed && turn.condition(old) == Condition::Sick);
    let endpoints = turn.health(color).map_or(0, |health| health.total);
    turn.state.active = color;
    turn.state.epoch = turn.state.epoch.next();
    turn.state.discovery.down_since = None;
    turn.state.discovery.armed = false;
    let epoch = turn.state.epoch;
    let reason = format!(
        "{why}: {endpoints} of {endpoints} endpoints healthy; {color} gets all traffic at epoch {epoch}"
    );
    let deadline = turn.at + ACKNOWLEDGE_WAIT;
    turn.enter(Phase::Promoting(Promoting { deadline, early: Vec::new(), alone, endpoints }), reason);
    turn.then(Effect::Swap { epoch, active: color });
}

/// Every worker has the new table, so the bake begins with the baseline.
pub(crate) fn acknowledged(turn: &mut Turn, promoting: &Promoting, baseline: &Baseline) {
    turn.clear(Alarm::Unacknowledged, "every worker has acknowledged");
    bake::enter(turn, promoting, Some(baseline), "every worker has acknowledged the switch");
}

/// Begins the bake without a baseline if the wait is over, or if the candidate is down before every
/// worker has acknowledged. A color that is down is not waited for.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    let Phase::Promoting(promoting) = &release.phase else { return false };
    let late = turn.at >= promoting.deadline;
    let down = !promoting.alone && turn.condition(release.color) == Condition::Sick;
    if !late && !down {
        return false;
    }
    let promoting = promoting.clone();
    if late {
        let epoch = turn.state.epoch;
        turn.raise(Alarm::Unacknowledged, format!("not every worker acknowledged epoch {epoch} within 10 s"));
        bake::enter(turn, &promoting, None, "10 s are over without every acknowledgement");
    } else {
        bake::enter(turn, &promoting, None, "the candidate went down before every acknowledgement");
    }
    true
}

/// Keeps a second that closed before the baseline was there.
pub(crate) fn early(turn: &mut Turn, bucket: &Bucket) {
    if let Some(Phase::Promoting(promoting)) = turn.state.release.as_mut().map(|release| &mut release.phase)
        && promoting.early.len() < Promoting::EARLY_MAX
    {
        promoting.early.push(bucket.clone());
        turn.counted();
    }
}
