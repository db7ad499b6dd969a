//! The alarms that depend on the present state alone. Such an alarm goes up when its cause appears, and
//! it is cleared when the cause is gone. The other alarms are raised by the rules that meet their cause.

use super::supervise;
use crate::release::turn::Turn;
use crate::release::{Alarm, Condition, ExternalCause, Phase, Stretch, words};

/// Raises or clears each alarm of this file, at the end of a step.
pub(crate) fn settle(turn: &mut Turn) {
    degraded(turn);
    external_cause(turn);
    slow(turn);
    active_down(turn);
    told(turn);
    supervise::alarms(turn);
    if turn.state.unwritable {
        let text = "no new release and no switch forward until the store can be written; a revert, a rollback to the \
                    warm color, `pause` and `resume` still happen";
        turn.raise(Alarm::StoreUnwritable, text.to_owned());
    } else {
        turn.clear(Alarm::StoreUnwritable, "the store can be written again");
    }
}

/// Raises the alarm with its text while a shell knows a cause, and clears it without one.
fn by_cause(turn: &mut Turn, alarm: Alarm, text: Option<String>, over: &str) {
    match text {
        Some(text) => turn.raise(alarm, text),
        None => turn.clear(alarm, over),
    }
}

/// The alarms whose causes the shells tell.
fn told(turn: &mut Turn) {
    let state = &turn.state;
    let away = state.engine_away.as_ref();
    let away =
        away.map(|why| format!("{why}; traffic goes on, what is to be started or stopped there waits"));
    let certificate = state.certificate.clone();
    let stuck = state.stuck.as_ref();
    let stuck = stuck.map(|which| format!("{which}; releases that do not need this container go on"));
    by_cause(turn, Alarm::EngineAway, away, "every engine answers again");
    by_cause(turn, Alarm::Certificate, certificate, "every certificate of its hosts is valid");
    by_cause(turn, Alarm::ContainerStuck, stuck, "the engine has answered");
}

fn degraded(turn: &mut Turn) {
    let reason = turn.running().and_then(|release| match &release.phase {
        Phase::Degraded(_) => Some(release.reason.clone()),
        Phase::Queued(_)
        | Phase::Pulling { .. }
        | Phase::Starting(_)
        | Phase::Checking(_)
        | Phase::AwaitingPromotion(_)
        | Phase::Canary(_)
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
        None => turn.clear(Alarm::Degraded, "no release is degraded any more"),
    }
}

fn external_cause(turn: &mut Turn) {
    let outside = turn.running().and_then(|release| release.phase.bake()).and_then(|bake| bake.outside);
    match outside {
        Some(ExternalCause::Engine) => {
            let text = "the candidate fails while an engine does not answer: nothing is judged or moved";
            turn.raise(Alarm::ExternalCause, text.to_owned());
        }
        Some(ExternalCause::Down | ExternalCause::Errors) => {
            turn.raise(Alarm::ExternalCause, "both colors are sick: nothing is judged or moved".to_owned());
        }
        None => turn.clear(Alarm::ExternalCause, "at least one color is healthy again"),
    }
}

/// With `latency = "notify"` a slow candidate does not trip the judge. Instead the alarm is up while the
/// score of the latency rule is at its bound.
fn slow(turn: &mut Turn) {
    let Some(judge) = turn.running().and_then(|release| release.phase.judge()) else {
        return turn.clear(Alarm::Slow, "the bake is over, so latency is not judged any more");
    };
    if !judge.notifies_slow() {
        return turn.clear(Alarm::Slow, "it is as fast again as the old color was");
    }
    // The alarm's text contains numbers that change each second. While the alarm is up, it is not raised
    // again with new numbers, so that people get one message and not one each second.
    if !turn.state.alarms.contains_key(&Alarm::Slow) {
        let text = format!("{}; latency is \"notify\"", words::slowness(&judge.numbers()));
        turn.raise(Alarm::Slow, text);
    }
}

/// The alarm for an active color that is sick while no release is under way. greenlight does not move the
/// traffic by itself then, so the alarm names the command that would help. If the standby is not healthy
/// either, the alarm names no command. Requests still go to those endpoints of the active color that run.
/// While the condition of the active color is unknown, the alarm stays as it is.
fn active_down(turn: &mut Turn) {
    let state = &turn.state;
    let (active, service) = (state.active, state.service.clone());
    let standby = active.other();
    if state.stretch() != Stretch::Final {
        return turn.clear(Alarm::ActiveDown, "a release is under way");
    }
    match state.condition(active) {
        Condition::Fit => turn.clear(Alarm::ActiveDown, "it is healthy again"),
        Condition::Unknown => {}
        Condition::Sick => {
            let help = match state.condition(standby) {
                Condition::Fit if state.rollback_available() => format!("`greenlight rollback {service}`"),
                Condition::Fit => format!("`greenlight deploy {service}`"),
                Condition::Sick | Condition::Unknown => {
                    let text = format!("{active} is down and {standby} is not healthy either");
                    return turn.raise(Alarm::ActiveDown, text);
                }
            };
            let text = format!("{active} is down and {standby} is healthy; nothing moves by itself: {help}");
            turn.raise(Alarm::ActiveDown, text);
        }
    }
}
