//! The final states. Each has a reason and decides the future of the color that lost.

use crate::judge::Verdict;
use crate::model::{Color, ReleaseId, Version};

use super::{errands, quarantine, standby};
use crate::release::turn::Turn;
use crate::release::{
    By, Effect, Errand, Fallback, Fate, Notice, Phase, Release, Side, Stretch, UpstreamKind, words,
};

/// The candidate keeps the traffic, and the old color stays warm for `standby_ttl`.
pub(crate) fn succeed(turn: &mut Turn, reason: String) {
    let Some(release) = turn.state.release.as_ref() else { return };
    let (old, verdict, version) = (release.color.other(), release.verdict, release.version.clone());
    let drain_at = turn.at + turn.state.policy.standby_ttl;
    let side = &mut turn.state.sides[old];
    side.fate = Fate::Warm { drain_at };
    turn.state.fallback = Some(Fallback {
        release: side.release.clone(),
        containers: side.containers.clone(),
        version: side.version.clone().unwrap_or_else(|| Version("initial".to_owned())),
        color: old,
    });
    turn.enter(Phase::Succeeded, reason);
    turn.announce(Notice::Succeeded);
    errands::begin(turn, Errand::Tags);
    if verdict == Some(Verdict::Pass) {
        quarantine::lift(turn, &version, "a forced release of it passed");
    }
}

/// A first release succeeds. There was no release before it to go back to.
pub(crate) fn succeed_alone(turn: &mut Turn) {
    turn.state.fallback = None;
    turn.enter(
        Phase::Succeeded,
        "a first release: it has no baseline and nothing to revert to, so checking was its only gate",
    );
    turn.announce(Notice::Promoted);
    turn.announce(Notice::Succeeded);
    errands::begin(turn, Errand::PostPromote);
    errands::begin(turn, Errand::Tags);
}

/// A degraded release ends as succeeded with its verdict, by a person's word or because no person decided
/// in time.
pub(crate) fn succeed_by_word(turn: &mut Turn, why: &str) {
    let Some(release) = turn.state.release.as_mut() else { return };
    let Some(bake) = release.phase.bake() else { return };
    let numbers = bake.judge.numbers();
    let verdict = release.verdict.unwrap_or_else(|| bake.judge.verdict());
    release.verdict = Some(verdict);
    let reason = format!("{why}; verdict {}: {}", verdict.as_str(), words::describe(&numbers));
    release.numbers = Some(numbers);
    succeed(turn, reason);
}

/// A deploy with `--force` ends a degraded release as succeeded, by a person's word.
pub(crate) fn end_degraded(turn: &mut Turn, newer: &Release) {
    if let Some(Phase::Degraded(_)) = turn.running().map(|release| &release.phase) {
        succeed_by_word(turn, &format!("ended by a person who forced {}", newer.id));
    }
}

/// Ends a release before its switch because something is wrong, and disarms the `on_healthy` edge of its
/// color.
pub(crate) fn fail(turn: &mut Turn, reason: String) {
    let Some(release) = turn.running() else { return };
    let color = release.color;
    discard(turn);
    turn.state.discovery.disarmed[color] = true;
    turn.enter(Phase::Failed, reason);
    turn.announce(Notice::Failed);
}

/// Cancels a release that has not switched.
pub(crate) fn cancel(turn: &mut Turn, reason: String) {
    if turn.state.stretch() != Stretch::Before {
        return;
    }
    discard(turn);
    turn.enter(Phase::Cancelled, reason);
    turn.announce(Notice::Cancelled);
}

/// The traffic is back on the old color. A revert by the judge puts the version in quarantine.
pub(crate) fn went_back(turn: &mut Turn, by: By, reason: String) {
    let Some(release) = turn.state.release.as_ref() else { return };
    let (id, color, version) = (release.id.clone(), release.color, release.version.clone());
    let drain_at = match turn.state.policy.upstream {
        UpstreamKind::Fixed => turn.at + turn.state.policy.standby_ttl,
        // The containers are stopped and kept, after the requests in flight have finished.
        UpstreamKind::Managed => turn.at,
    };
    turn.state.sides[color].fate = Fate::Warm { drain_at };
    turn.state.discovery.disarmed[color] = true;
    if turn.state.fallback.as_ref().is_some_and(|fallback| fallback.color == turn.state.active) {
        turn.state.fallback = None;
    }
    match by {
        By::Judge => {
            quarantine::add(turn, version, reason.clone(), id);
            turn.enter(Phase::Reverted, reason);
            turn.announce(Notice::Reverted);
        }
        By::Person => {
            turn.enter(Phase::RolledBack, reason);
            turn.announce(Notice::RolledBack);
        }
    }
}

/// Decides the future of a candidate that was never switched to.
fn discard(turn: &mut Turn) {
    let Some(release) = turn.running() else { return };
    let (id, color, containers) = (release.id.clone(), release.color, release.containers.clone());
    let gated = release.gated;
    match turn.state.policy.upstream {
        // The color is drained in the end, so that not even a connection through a preview host stays for
        // ever.
        UpstreamKind::Fixed => {
            let drain_at = turn.at + turn.state.policy.standby_ttl;
            if color != turn.state.active {
                turn.state.sides[color].fate = Fate::Warm { drain_at };
            }
        }
        UpstreamKind::Managed => {
            let adopted = turn.state.sides[color].release.as_ref() == Some(&id);
            if !adopted {
                turn.then(Effect::Remove { release: id, color });
                return;
            }
            turn.then(Effect::SaveEvidence { release: containers.clone() });
            if gated && color != turn.state.active {
                // The candidate had a share of the traffic. Requests in flight may finish, then it is
                // stopped and kept.
                turn.state.sides[color].fate = Fate::Warm { drain_at: turn.at };
                return;
            }
            if turn.running().is_some_and(|release| release.warm) {
                return stand_by_again(turn, containers, color);
            }
            let side = std::mem::take(&mut turn.state.sides[color]);
            turn.state.health[color] = None;
            if containers == id {
                turn.then(Effect::Remove { release: id, color });
            } else {
                keep_again(turn, side, containers, color);
            }
        }
    }
}

/// A rollback that did not switch leaves a warm standby as warm as it was, so that another rollback can
/// still go back to it.
fn stand_by_again(turn: &mut Turn, containers: ReleaseId, color: Color) {
    let fallback = turn.state.fallback.as_ref();
    let before = fallback.filter(|fallback| fallback.containers.as_ref() == Some(&containers));
    let release = before.and_then(|fallback| fallback.release.clone()).unwrap_or(containers);
    let side = &mut turn.state.sides[color];
    side.release = Some(release.clone());
    side.fate = Fate::Warm { drain_at: turn.at + turn.state.policy.standby_ttl };
    turn.state.health[color] = None;
    turn.then(Effect::Adopt { color, release });
}

/// A rollback that did not switch leaves the containers that it borrowed stopped and kept, as they were.
fn keep_again(turn: &mut Turn, side: Side, containers: ReleaseId, color: Color) {
    turn.then(Effect::Stop { release: containers.clone(), color });
    standby::keep(turn, Side { release: Some(containers), ..side }, color);
}
