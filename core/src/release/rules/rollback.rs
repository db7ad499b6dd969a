//! A person goes back. During a bake, while the old color is warm, the traffic moves at once. After
//! success a new release of kind rollback begins.

use std::time::Duration;

use crate::model::{ReleaseId, Version};

use super::{accept, bake, pin, quarantine, reverting, trip};
use crate::release::turn::Turn;
use crate::release::{
    By, Condition, Fallback, Gate, Kind, Phase, Refusal, Release, Source, Stretch, UpstreamKind, guards,
};

/// The options of a rollback.
pub(crate) struct Ask<'a> {
    pub(crate) to: Option<&'a ReleaseId>,
    pub(crate) quarantine: bool,
    pub(crate) force: bool,
}

/// Carries out a rollback, by the stretch of the current release. While the store can't be written a
/// rollback to the warm color still happens, so that no person is stuck on a bad version.
pub(crate) fn rollback(turn: &mut Turn, ask: &Ask) -> Result<(), Refusal> {
    if turn.state.unwritable && !is_at_hand(turn, ask) {
        return Err(Refusal::StoreUnwritable);
    }
    let active = &turn.state.sides[turn.state.active];
    if ask.to.is_some() && active.release.as_ref() == ask.to {
        let hint = "that release has the traffic already";
        return Err(Refusal::WrongState { command: "rollback", state: turn.state.state_word(), hint });
    }
    match turn.state.stretch() {
        Stretch::After => back(turn, ask),
        Stretch::Before | Stretch::Final => anew(turn, ask),
    }
}

/// Whether the rollback needs nothing but a switch. The old color is warm during a bake, and after it as
/// long as the standby is.
fn is_at_hand(turn: &Turn, ask: &Ask) -> bool {
    match turn.state.stretch() {
        Stretch::After => true,
        Stretch::Before => false,
        Stretch::Final => target(turn, ask.to).is_ok_and(|target| {
            let side = &turn.state.sides[turn.state.active.other()];
            side.containers == target.containers
                && side.version.as_ref() == Some(&target.version)
                && turn.state.is_warm(turn.state.active.other())
        }),
    }
}

/// Whether a rollback may take its next step while the store can't be written. It goes on to a color that is
/// warm, and it never ends or stops anything.
pub(crate) fn goes_on(turn: &Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    if release.kind != Kind::Rollback || release.source != Source::Person {
        return false;
    }
    match &release.phase {
        Phase::Starting(starting) => turn.at < starting.deadline && turn.state.is_warm(release.color),
        Phase::Checking(checking) => {
            let open = matches!(turn.state.gate(turn.at), Some(Gate::Open { at }) if at <= checking.deadline);
            open && release.auto_promote && !turn.state.is_pinned()
        }
        _ => false,
    }
}

/// The running release has switched, so the traffic goes back to the old color.
fn back(turn: &mut Turn, ask: &Ask) -> Result<(), Refusal> {
    let Some(release) = turn.running().cloned() else {
        return Err(Refusal::NoRollback("there is no release"));
    };
    match &release.phase {
        Phase::Promoting(promoting) if promoting.alone => {
            return Err(Refusal::NoRollback("this is the first release: there was nothing before it"));
        }
        Phase::Promoting(_) | Phase::Baking(_) | Phase::Degraded(_) => {}
        Phase::Reverting(_)
        | Phase::Queued(_)
        | Phase::Pulling { .. }
        | Phase::Starting(_)
        | Phase::Checking(_)
        | Phase::AwaitingPromotion(_)
        | Phase::Canary(_)
        | Phase::Succeeded
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Reverted
        | Phase::RolledBack => {
            let hint = "the traffic is on its way back already";
            return Err(Refusal::WrongState { command: "rollback", state: release.word(), hint });
        }
    }
    let side = turn.state.sides[release.color.other()].clone();
    if let Some(to) = ask.to.filter(|to| side.release.as_ref() != Some(*to)) {
        return Err(Refusal::UnknownRelease(to.to_string()));
    }
    if let (Some(version), false) = (&side.version, ask.force) {
        guards::free_version(&turn.state, version)?;
    }
    let old = turn.condition(release.color.other());
    if old == Condition::Sick {
        return Err(Refusal::NoRollback("the old color is down too"));
    }
    pin::lift_or_refuse(turn, ask.force, "a rollback with --force")?;
    cancel_queued(turn, &release.id);
    if ask.quarantine {
        quarantine_it(turn, release.version.clone(), release.id.clone());
    }
    let reason = "a person's rollback".to_owned();
    let bake = match &release.phase {
        // No bake begins, and so no hook of a promotion. The wait for the old color only needs its data.
        Phase::Promoting(promoting) => Some(bake::fresh(turn, promoting, None)),
        _ => trip::current_bake(turn),
    };
    match (old, bake) {
        (Condition::Unknown, Some(bake)) => reverting::wait(turn, By::Person, Box::new(bake), reason),
        (Condition::Unknown | Condition::Fit | Condition::Sick, _) => {
            reverting::swap(turn, By::Person, reason);
        }
    }
    turn.concerns(&release.id);
    Ok(())
}

/// The current release has not switched or has ended, so a new release of kind rollback begins.
fn anew(turn: &mut Turn, ask: &Ask) -> Result<(), Refusal> {
    if let Some(running) = turn.running()
        && running.kind == Kind::Rollback
    {
        let hint = "a rollback is under way already";
        return Err(Refusal::WrongState { command: "rollback", state: running.word(), hint });
    }
    let target = target(turn, ask.to)?;
    if !ask.force {
        guards::free_version(&turn.state, &target.version)?;
    }
    pin::lift_or_refuse(turn, ask.force, "a rollback with --force")?;
    if ask.quarantine {
        let active = turn.state.sides[turn.state.active].clone();
        if let (Some(version), Some(release)) = (active.version, active.release) {
            quarantine_it(turn, version, release);
        }
    }
    let id = accept::next_id(&mut turn.state);
    let version = target.version.clone();
    let mut release =
        accept::new_release(turn, id.clone(), Kind::Rollback, version, Source::Person, ask.force);
    if let Some(containers) = kept_containers(turn, &target, &release) {
        release.containers = containers;
    }
    accept::place(turn, release, Duration::ZERO);
    turn.concerns(&id);
    Ok(())
}

/// The release to go back to. It is the one that `to` names, or the fallback.
fn target(turn: &Turn, to: Option<&ReleaseId>) -> Result<Fallback, Refusal> {
    let fallback = turn.state.fallback.as_ref();
    let Some(to) = to else {
        return fallback.cloned().ok_or_else(|| {
            Refusal::NoRollback(match turn.state.stretch() {
                Stretch::Before => "the other color is being released to: `abort` stops that",
                Stretch::After | Stretch::Final => "no earlier version is known to be good: `deploy` one",
            })
        });
    };
    if let Some(fallback) = fallback.filter(|fallback| fallback.release.as_ref() == Some(to)) {
        return Ok(fallback.clone());
    }
    let kept = turn.state.kept.iter().rfind(|kept| kept.release == *to || kept.containers == *to);
    kept.map(|kept| Fallback {
        release: Some(kept.release.clone()),
        containers: Some(kept.containers.clone()),
        version: kept.version.clone(),
        color: kept.color,
    })
    .ok_or_else(|| Refusal::UnknownRelease(to.to_string()))
}

/// The target's own containers, if they are there and have the candidate's color. If not, new ones are
/// created from the version.
fn kept_containers(turn: &Turn, target: &Fallback, release: &Release) -> Option<ReleaseId> {
    let containers = target.containers.as_ref()?;
    let warm = turn.state.sides[release.color].containers.as_ref() == Some(containers);
    let kept =
        turn.state.kept.iter().any(|kept| kept.containers == *containers && kept.color == release.color);
    let managed = turn.state.policy.upstream == UpstreamKind::Managed;
    (managed && (warm || kept)).then(|| containers.clone())
}

/// Cancels a queued release of a webhook or of discovery. A person's release stays in the queue.
fn cancel_queued(turn: &mut Turn, by: &ReleaseId) {
    let Some(queued) = turn.state.queued.take() else { return };
    match queued.source {
        Source::Webhook | Source::Discovery => {
            turn.ended_in_queue(queued, format!("a person rolled {by} back"));
        }
        Source::Person => turn.state.queued = Some(queued),
    }
}

/// Puts the version in quarantine by a person's word.
fn quarantine_it(turn: &mut Turn, version: Version, release: ReleaseId) {
    turn.note(format!("version {version} is in quarantine by a person's word"));
    quarantine::add(turn, version, "a person rolled it back and said so".to_owned(), release);
}
