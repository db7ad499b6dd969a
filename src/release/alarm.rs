//! Alarms that follow the state: each is up exactly while its cause is there.

use super::turn::Turn;
use super::{Alarm, Condition, Phase, Stretch};

pub(super) fn settle(turn: &mut Turn) {
    degraded(turn);
    external_cause(turn);
    active_down(turn);
    if turn.state.unwritable {
        let text = "no new release and no switch until the store can be written; a revert still happens";
        turn.raise(Alarm::StoreUnwritable, text.to_owned());
    } else {
        turn.clear(Alarm::StoreUnwritable, "the store can be written again");
    }
}

fn degraded(turn: &mut Turn) {
    let reason = turn.running().and_then(|release| match &release.phase {
        Phase::Degraded(_) => Some(release.reason.clone()),
        Phase::Queued(_)
        | Phase::Pulling { .. }
        | Phase::Starting(_)
        | Phase::Checking(_)
        | Phase::AwaitingPromotion(_)
        | Phase::Promoting(_)
        | Phase::Baking(_)
        | Phase::Reverting(_)
        | Phase::Succeeded
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Reverted
        | Phase::RolledBack => None,
    });
    match reason {
        Some(reason) => turn.raise(Alarm::Degraded, reason),
        None => turn.clear(Alarm::Degraded, "the release is degraded no more"),
    }
}

fn external_cause(turn: &mut Turn) {
    let outside =
        turn.running().is_some_and(|release| release.phase.bake().is_some_and(|bake| bake.outside.is_some()));
    if outside {
        turn.raise(Alarm::ExternalCause, "both colours are sick: nothing is judged or moved".to_owned());
    } else {
        turn.clear(Alarm::ExternalCause, "not both colours are sick any more");
    }
}

/// After the bake nothing moves by itself: a person is told what would help.
fn active_down(turn: &mut Turn) {
    let state = &turn.state;
    let (active, service) = (state.active, state.service.clone());
    let settled = state.stretch() == Stretch::Final;
    match (state.condition(active), state.condition(active.other())) {
        (Condition::Sick, Condition::Fit) if settled => {
            let help = if state.rollback_available() { "rollback" } else { "deploy" };
            let text = format!(
                "{active} is down and {} is healthy; nothing moves by itself: `greenlight {help} {service}`",
                active.other()
            );
            turn.raise(Alarm::ActiveDown, text);
        }
        (Condition::Fit, _) | (_, Condition::Sick) => turn.clear(Alarm::ActiveDown, "it is so no more"),
        (Condition::Sick | Condition::Unknown, Condition::Fit | Condition::Unknown) => {
            if !settled {
                turn.clear(Alarm::ActiveDown, "a release is under way");
            }
        }
    }
}
