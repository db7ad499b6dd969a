//! The states checking and awaiting_promotion. The gate opens, or the time is over.

use super::incident::incident;
use super::{canary, ending, errands, pin, promoting};
use crate::release::turn::Turn;
use crate::release::{Awaiting, Checking, Gate, Notice, Phase, Refusal, guards, words};

/// Ends the checks when the gate opens, when the `pre_promote` hook fails, or at `progress_deadline`.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    let Phase::Checking(_) = release.phase else { return false };
    if let Some(Err(why)) = errands::before_switch_ended(turn) {
        ending::fail(turn, format!("the pre_promote hook failed: {why}"));
        return true;
    }
    let Some(release) = turn.running() else { return false };
    let Phase::Checking(checking) = release.phase else { return false };
    let (color, by_itself) = (release.color, goes_by_itself(turn));
    let (health, expected) = (turn.health(color), release.expected);
    // The gate is asked before the deadline, so that a gate that opened in time counts, however late this
    // runs.
    match turn.state.gate(turn.at) {
        Some(Gate::Open { at }) if at <= checking.deadline => {
            match errands::before_switch(turn) {
                errands::Before::Passed => {}
                errands::Before::Begun => return true,
                errands::Before::Running => return false,
            }
            if by_itself {
                canary::go_ahead(turn, checking.since, checking.deadline.since(turn.at), "the gate opened");
            } else {
                wait(turn, checking);
            }
            true
        }
        Some(Gate::Open { .. } | Gate::Opens { .. } | Gate::Shut) | None => {
            if turn.at < checking.deadline {
                return false;
            }
            let deadline = words::seconds(turn.state.policy.progress_deadline);
            let gone = expected.saturating_sub(health.map_or(0, |health| health.total));
            let gone =
                if gone > 0 { format!(", {gone} of {expected} containers gone") } else { String::new() };
            let ailing = turn.state.ailing[color].as_ref().map(|why| format!("; probes fail: {why}"));
            let ailing = ailing.unwrap_or_default();
            ending::fail(
                turn,
                format!(
                    "the gate was shut after {deadline} (progress_deadline): {color} had {}{gone}{ailing}",
                    words::count(health)
                ),
            );
            true
        }
    }
}

/// Whether the release goes on without a person. It waits under a pin. It also waits while the active color
/// is in an incident, since its last minutes are no measure then. A rollback and a command with `--force`
/// do not wait for that.
fn goes_by_itself(turn: &Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    release.auto_promote && !turn.state.is_pinned() && incident(turn).is_none()
}

/// The gate is open, and the release waits for a person or for the end of a pin.
fn wait(turn: &mut Turn, checking: Checking) {
    let expires = turn.at + turn.state.policy.promote_timeout;
    let progress_left = checking.deadline.since(turn.at);
    let awaiting = Awaiting { since: checking.since, progress_left, expires };
    let within = words::seconds(turn.state.policy.promote_timeout);
    let reason = if turn.state.is_pinned() {
        format!("the gate opened under a pin: `unpin`, or `promote --force`, within {within}")
    } else if let Some(incident) = incident(turn) {
        format!(
            "the gate opened, but {incident}: `promote`, or the end of that, is waited for, {within} at most"
        )
    } else {
        format!("the gate opened; `promote` is waited for, {within} at most")
    };
    turn.enter(Phase::AwaitingPromotion(awaiting), reason);
    turn.announce(Notice::Awaiting);
}

/// Goes on when the pin has ended, or cancels the release at `promote_timeout`.
pub(crate) fn advance_awaiting(turn: &mut Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    let Phase::AwaitingPromotion(awaiting) = release.phase else { return false };
    let by_itself = goes_by_itself(turn);
    if turn.at >= awaiting.expires {
        let waited = words::seconds(turn.state.policy.promote_timeout);
        ending::cancel(turn, format!("no person promoted it within {waited} (promote_timeout)"));
        return true;
    }
    if !by_itself {
        return false;
    }
    // The pin or the incident has ended, so the gate is asked again.
    match turn.state.gate(turn.at) {
        Some(Gate::Open { .. }) => {
            let why = "nothing holds it any more and the gate is open";
            canary::go_ahead(turn, awaiting.since, awaiting.progress_left, why);
        }
        Some(Gate::Opens { .. } | Gate::Shut) | None => {
            let deadline = turn.at + awaiting.progress_left;
            let left = words::seconds(awaiting.progress_left);
            turn.enter(
                Phase::Checking(Checking { since: awaiting.since, deadline }),
                format!("nothing holds it any more and the gate is shut: checked again, {left} are left"),
            );
        }
    }
    true
}

const NOT_HEALTHY: &str =
    "its endpoints are not all healthy for min_healthy_time now: promote again when they are";

/// A person promotes a release that waits for it, or a degraded one.
pub(crate) fn promote(turn: &mut Turn, force: bool) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    let state = turn.state.state_word();
    let wrong = |hint| Err(Refusal::WrongState { command: "promote", state, hint });
    let Some(release) = turn.running() else {
        return wrong("there is no release to promote: `deploy` first");
    };
    let id = release.id.clone();
    match &release.phase {
        Phase::AwaitingPromotion(awaiting) => {
            let (since, left) = (awaiting.since, awaiting.progress_left);
            pin::lift_or_refuse(turn, force, "a promote with --force")?;
            match turn.state.gate(turn.at) {
                Some(Gate::Open { .. }) => canary::go_ahead(turn, since, left, "promoted by a person"),
                Some(Gate::Opens { .. } | Gate::Shut) | None => return wrong(NOT_HEALTHY),
            }
        }
        // A person's word skips the steps that are left.
        Phase::Canary(_) => {
            pin::lift_or_refuse(turn, force, "a promote with --force")?;
            match turn.state.gate(turn.at) {
                Some(Gate::Open { .. }) => promoting::promote(turn, "promoted by a person in the canary"),
                Some(Gate::Opens { .. } | Gate::Shut) | None => return wrong(NOT_HEALTHY),
            }
        }
        Phase::Degraded(_) => {
            pin::lift_or_refuse(turn, force, "a promote with --force")?;
            ending::succeed_by_word(turn, "promoted by a person while degraded");
        }
        Phase::Queued(_) | Phase::Pulling { .. } | Phase::Starting(_) => {
            return wrong("its gate is not open yet");
        }
        Phase::Checking(_) => return wrong("its gate is not open yet: it is checked until it is"),
        Phase::Promoting(_) | Phase::Baking(_) => {
            return wrong("it has the traffic already; the bake ends by itself");
        }
        Phase::Reverting(_) => return wrong("the traffic is on its way back"),
        Phase::Succeeded | Phase::Failed | Phase::Cancelled | Phase::Reverted | Phase::RolledBack => {
            return wrong("it has ended: `deploy` again");
        }
    }
    turn.concerns(&id);
    Ok(())
}
