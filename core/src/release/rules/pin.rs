//! Pins, pauses and aborts. While a service is pinned nothing moves by itself, not even a revert.

use std::time::Duration;

use super::ending;
use crate::release::turn::Turn;
use crate::release::{Alarm, Effect, Pin, Refusal, Release, StateName, Stretch, guards, words};

/// Pins the active color, for a time or until an unpin. A new pin replaces the old one.
pub(crate) fn pin(turn: &mut Turn, reason: Option<&str>, lasts: Option<Duration>) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    let until = lasts.map(|lasts| turn.at + lasts);
    turn.state.pin = Some(Pin { reason: reason.map(str::to_owned), until });
    let length =
        lasts.map_or("until it is unpinned".to_owned(), |lasts| format!("for {}", words::seconds(lasts)));
    let why = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    turn.note(format!("{} is pinned {length}{why}: nothing moves by itself", turn.state.active));
    turn.changed();
    Ok(())
}

/// Lifts the pin. Without a pin this changes nothing and is no fault.
pub(crate) fn unpin(turn: &mut Turn) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    lift(turn, "a person unpinned it");
    Ok(())
}

/// Lifts the pin, if there is one.
pub(crate) fn lift(turn: &mut Turn, why: &str) {
    if turn.state.pin.take().is_none() {
        return;
    }
    turn.note(format!("the pin is lifted: {why}"));
    turn.clear(Alarm::StateRebuilt, "confirmed by the end of the pin");
    turn.changed();
}

/// Lifts the pin if `force` is set. Without it a pinned service refuses.
pub(crate) fn lift_or_refuse(turn: &mut Turn, force: bool, why: &str) -> Result<(), Refusal> {
    if force {
        lift(turn, why);
        return Ok(());
    }
    guards::unpinned(&turn.state)
}

/// Lifts a pin whose time is over.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let ended = turn.state.pin.as_ref().and_then(|pin| pin.until).is_some_and(|until| turn.at >= until);
    if ended {
        lift(turn, "its time is over");
    }
    ended
}

/// Holds the client requests of the service, or lets them go on. Releases go on either way. A person can do
/// so while the store can't be written.
pub(crate) fn pause(turn: &mut Turn, paused: bool) {
    if turn.state.paused != paused {
        turn.state.paused = paused;
        turn.note(if paused { "client requests are held (pause)" } else { "client requests go on (resume)" });
        turn.then(Effect::Refresh);
    }
}

/// Cancels everything that has not switched: the running release, and the one that waits.
pub(crate) fn abort(turn: &mut Turn) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    let running = turn.running().filter(|_| turn.state.stretch() == Stretch::Before).map(id);
    let queued = turn.state.queued.take();
    let Some(concerned) = running.clone().or_else(|| queued.as_ref().map(id)) else {
        let hint = match turn.state.stretch() {
            Stretch::After if turn.state.state_name() == StateName::Reverting => {
                "the traffic is on its way back already"
            }
            Stretch::After => "it has the traffic already: `rollback` moves it back",
            Stretch::Before | Stretch::Final => "no release is on its way",
        };
        return Err(Refusal::WrongState { command: "abort", state: turn.state.state_word(), hint });
    };
    if running.is_some() {
        ending::cancel(turn, "aborted by a person".to_owned());
    }
    if let Some(queued) = queued {
        turn.ended_in_queue(queued, "aborted by a person".to_owned());
    }
    turn.concerns(&concerned);
    Ok(())
}

fn id(release: &Release) -> crate::model::ReleaseId {
    release.id.clone()
}
