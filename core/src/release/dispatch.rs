//! The first part of a step. It takes an event and hands it to the rule of its concern, or refuses it by
//! name.

use crate::health::ColorHealth;
use crate::judge::{Baseline, Bucket};
use crate::model::{Color, Epoch, ReleaseId};

use super::rules::{
    accept, bake, canary, checking, errands, pin, promoting, pushed, quarantine, reverting, rollback,
    standby, starting, supervise, together,
};
use super::turn::Turn;
use super::{Alarm, Event, Phase, Policy, PushTaken, Refusal, Stage};

/// Applies one event to the state. A [`Refusal`] means that the event does not fit and that the caller
/// drops the whole step.
pub(crate) fn take(turn: &mut Turn, event: &Event) -> Result<(), Refusal> {
    match event {
        Event::Deploy { version, auto_promote, force, source } => {
            let (version, auto_promote) = (version.as_ref(), *auto_promote);
            accept::deploy(turn, &accept::Ask { version, auto_promote, force: *force, source: *source })
        }
        Event::Pushed { version, at, delivery } => {
            pushed::pushed(turn, PushTaken::new(version, *at, delivery.as_ref()))
        }
        Event::PushSeen { version, at, delivery } => {
            pushed::seen(turn, PushTaken::new(version, *at, delivery.as_ref()))
        }
        Event::Found { version } => pushed::found(turn, version),
        Event::Promote { force } => checking::promote(turn, *force),
        Event::Abort => pin::abort(turn),
        Event::Rollback { to, quarantine, force } => {
            let ask = rollback::Ask { to: to.as_ref(), quarantine: *quarantine, force: *force };
            rollback::rollback(turn, &ask)
        }
        Event::Pin { reason, lasts } => pin::pin(turn, reason.as_deref(), *lasts),
        Event::Unpin => pin::unpin(turn),
        Event::Pause | Event::Resume => {
            pin::pause(turn, matches!(event, Event::Pause));
            Ok(())
        }
        Event::Unquarantine { version } => quarantine::unquarantine(turn, version),
        Event::Health { color, release, health } => observe(turn, *color, release.as_ref(), *health),
        Event::Acknowledged { epoch, baseline } => acknowledged(turn, *epoch, baseline),
        Event::Bucket { color, epoch, bucket } => judge(turn, *color, *epoch, bucket),
        Event::Control { epoch, old } => control(turn, *epoch, old),
        Event::Canary { release, candidate, old, baseline } => {
            canary::observe(turn, release, candidate, old, baseline.as_deref())
        }
        Event::Drained { color, release } => standby::said_drained(turn, *color, release.as_ref()),
        Event::Deadline => Ok(()),
        Event::PolicyChanged(policy) => {
            reload(turn, policy);
            Ok(())
        }
        Event::StoreWritable(writable) => {
            store_writable(turn, *writable);
            Ok(())
        }
        Event::ErrandDone { release, errand, outcome } => errands::done(turn, release, *errand, outcome),
        Event::Pulled { release, version } => starting::pulled(turn, release, version),
        Event::PullStruggles { release, why } => starting::pull_struggles(turn, release, why),
        Event::PullFailed { release, why } => starting::pull_failed(turn, release, why),
        Event::Started { release } => starting::started(turn, release),
        Event::StartFailed { release, why } => starting::start_failed(turn, release, why),
        Event::EndpointRestarted { release, restarts, why } => {
            starting::restarted(turn, release, *restarts, why.as_deref())
        }
        Event::Ended { set, why } => supervise::ended(turn, set, why),
        Event::Ailing { .. }
        | Event::Containers { .. }
        | Event::Present { .. }
        | Event::Certificate(_)
        | Event::Incident(_)
        | Event::Stuck(_)
        | Event::EngineAway(_) => {
            learn(turn, event);
            Ok(())
        }
    }
}

/// Takes a fact that the rules ask for when they settle.
fn learn(turn: &mut Turn, event: &Event) {
    match event {
        Event::Ailing { color, why } => {
            turn.state.ailing[*color].clone_from(why);
        }
        Event::Containers { color, ids } => {
            turn.state.seen[*color] = Some(ids.clone());
        }
        Event::Present { color, presence } => {
            turn.state.presence[*color].clone_from(presence);
        }
        Event::Certificate(why) => {
            turn.state.certificate.clone_from(why);
        }
        Event::Incident(why) => {
            turn.state.incident.clone_from(why);
        }
        Event::Stuck(which) => {
            turn.state.stuck.clone_from(which);
        }
        Event::EngineAway(why) => {
            turn.state.engine_away.clone_from(why);
            if why.is_none() {
                together::engines_answer(turn);
            }
        }
        _ => {}
    }
}

/// The decisions that were made while the store could not be written are written as soon as it can be.
fn store_writable(turn: &mut Turn, writable: bool) {
    if writable && turn.state.unwritable {
        turn.changed();
    }
    turn.state.unwritable = !writable;
}

/// Takes a color's health. Health that was measured for another release than the color's present owner is
/// refused as stale.
fn observe(
    turn: &mut Turn,
    color: Color,
    release: Option<&ReleaseId>,
    health: ColorHealth,
) -> Result<(), Refusal> {
    if turn.state.sides[color].release.as_ref() != release {
        return Err(Refusal::Stale(release.map_or("no release".to_owned(), ToString::to_string)));
    }
    turn.state.health[color] = Some(health);
    Ok(())
}

/// Every worker has acknowledged the table of `epoch`. This ends the wait of a switch, gives a late
/// baseline to a bake that began without it, or clears the alarm.
fn acknowledged(turn: &mut Turn, epoch: Epoch, baseline: &Baseline) -> Result<(), Refusal> {
    if epoch != turn.state.epoch {
        return Err(Refusal::Stale(format!("epoch {epoch}")));
    }
    let again = Err(Refusal::Unexpected { fact: "acknowledged", state: turn.state.state_word() });
    if let Some(release) = turn.running() {
        match &release.phase {
            Phase::Promoting(promoting) => {
                let promoting = promoting.clone();
                promoting::acknowledged(turn, &promoting, baseline);
                return Ok(());
            }
            Phase::Reverting(reverting) => {
                if let Stage::Swapped { .. } = reverting.stage {
                    let (by, why) = (reverting.by, reverting.why.clone());
                    reverting::acknowledged(turn, by, why);
                    return Ok(());
                }
            }
            Phase::Baking(_)
            | Phase::Degraded(_)
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
            | Phase::RolledBack => {}
        }
        if release.phase.bake().is_some_and(|bake| !bake.acknowledged) {
            bake::late_baseline(turn, baseline);
            return Ok(());
        }
    }
    // The release has ended without this acknowledgment, but its alarm may still be up.
    if !turn.state.alarms.contains_key(&Alarm::Unacknowledged) {
        return again;
    }
    turn.clear(Alarm::Unacknowledged, "every worker has acknowledged");
    Ok(())
}

/// Gives one closed second of the active color's traffic to the judge, or keeps it until the bake begins.
fn judge(turn: &mut Turn, color: Color, epoch: Epoch, bucket: &Bucket) -> Result<(), Refusal> {
    if epoch != turn.state.epoch || color != turn.state.active {
        return Err(Refusal::Stale(format!("{color} at epoch {epoch}")));
    }
    let unexpected = Err(Refusal::Unexpected { fact: "bucket", state: turn.state.state_word() });
    let Some(release) = turn.running() else { return unexpected };
    match &release.phase {
        Phase::Promoting(_) => promoting::early(turn, bucket),
        Phase::Baking(_) | Phase::Degraded(_) => bake::observe(turn, bucket),
        Phase::Reverting(reverting) => match reverting.stage {
            Stage::Waiting { .. } => bake::observe(turn, bucket),
            Stage::Swapped { .. } => return unexpected,
        },
        Phase::Queued(_)
        | Phase::Pulling { .. }
        | Phase::Starting(_)
        | Phase::Checking(_)
        | Phase::AwaitingPromotion(_)
        | Phase::Canary(_)
        | Phase::Succeeded
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Reverted
        | Phase::RolledBack => return unexpected,
    }
    Ok(())
}

/// Adds one closed second of the synthetic requests to the old color.
fn control(turn: &mut Turn, epoch: Epoch, old: &Bucket) -> Result<(), Refusal> {
    if epoch != turn.state.epoch {
        return Err(Refusal::Stale(format!("epoch {epoch}")));
    }
    let state = turn.state.state_word();
    let Some(bake) = turn.state.release.as_mut().and_then(|release| release.phase.bake_mut()) else {
        return Err(Refusal::Unexpected { fact: "control", state });
    };
    bake.control.push(old);
    if bake.judge.suspicion() <= 0.0 {
        bake.control.run_is_over();
    }
    turn.counted();
    Ok(())
}

/// Takes a new policy. A deadline that runs keeps its length, and every later question goes by the new
/// policy. A reload does not change who runs the endpoints.
fn reload(turn: &mut Turn, policy: &Policy) {
    let upstream = turn.state.policy.upstream;
    turn.state.policy = Policy { upstream, ..policy.clone() };
}
