//! The second part of a step. The rules that depend on time and on present knowledge are asked again
//! until none of them acts.

use super::Phase;
use super::rules::{
    alarm, bake, canary, checking, degraded, discovery, errands, pin, promoting, queue, reverting, standby,
    starting, supervise,
};
use super::turn::Turn;

/// The most rounds in one step. It is more than the states that one event can lead through. Only a fault
/// of the rules can reach this bound; the rest is then done at the next event.
const ROUNDS_MAX: usize = 32;

/// Asks the rules round by round, and then brings the alarms up to date.
pub(crate) fn settle(turn: &mut Turn) {
    for _ in 0..ROUNDS_MAX {
        if !advance(turn) {
            break;
        }
    }
    alarm::settle(turn);
}

/// Lets the first rule act that has something to do; `false` if no rule has. While the store can't be
/// written only the running release is asked, and of its rules only those that may lead to a revert. So
/// there is no switch, no release, no stop and no end of a bake. Containers that serve are still started
/// again, because that changes nothing in the record.
fn advance(turn: &mut Turn) -> bool {
    if turn.state.unwritable {
        return running(turn) || supervise::advance(turn);
    }
    pin::advance(turn)
        || running(turn)
        || supervise::advance(turn)
        || queue::advance(turn)
        || standby::advance(turn)
        || errands::advance(turn)
        || discovery::advance(turn)
}

/// Asks the rule of the running release's state.
fn running(turn: &mut Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    let writable = !turn.state.unwritable;
    match &release.phase {
        Phase::Pulling { .. } => writable && starting::advance_pulling(turn),
        Phase::Starting(_) => writable && starting::advance(turn),
        Phase::Checking(_) => writable && checking::advance(turn),
        Phase::AwaitingPromotion(_) => writable && checking::advance_awaiting(turn),
        Phase::Canary(_) => canary::advance(turn),
        Phase::Promoting(_) => promoting::advance(turn),
        Phase::Baking(_) => bake::advance(turn),
        Phase::Reverting(_) => reverting::advance(turn),
        Phase::Degraded(_) => degraded::advance(turn),
        Phase::Queued(_)
        | Phase::Succeeded
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Reverted
        | Phase::RolledBack => false,
    }
}
