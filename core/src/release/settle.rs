//! Rules by level: asked again until none has anything to do.

use super::Phase;
use super::rules::{
    alarm, bake, canary, checking, degraded, discovery, errands, pin, promoting, queue, reverting, standby,
    starting,
};
use super::turn::Turn;

/// A bound on the rounds: no event leads through more states than there are. It can't be reached
/// but by a fault of the rules, and then the rest is done at the next event.
const ROUNDS_MAX: usize = 32;

pub(crate) fn settle(turn: &mut Turn) {
    for _ in 0..ROUNDS_MAX {
        if !advance(turn) {
            break;
        }
    }
    alarm::settle(turn);
}

/// One rule that had something to do. While the store can't be written only what may lead to a
/// revert is asked: no switch, no start, no stop, no end of a bake.
fn advance(turn: &mut Turn) -> bool {
    if turn.state.unwritable {
        return running(turn);
    }
    pin::advance(turn)
        || running(turn)
        || queue::advance(turn)
        || standby::advance(turn)
        || errands::advance(turn)
        || discovery::advance(turn)
}

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
