//! The one function that decides about releases.

use crate::model::Tick;

use super::turn::Turn;
use super::{Event, Refusal, State, Step, dispatch, settle};

/// Decides what an event at the time `now` leads to. The function is total and deterministic: the same
/// arguments give the same step.
///
/// A step has two parts. First the event, a command or a fact, is taken. Then the state is settled, which
/// means that every rule that depends on time and on present knowledge is asked again until none of them
/// acts. So a rule holds by level and not by edge, and an event that was lost or doubled does no harm.
///
/// # Errors A [`Refusal`] if the event does not fit the state. The state has not changed then.
pub fn step(state: &State, event: &Event, now: Tick) -> Result<Step, Refusal> {
    let mut turn = Turn::new(state, now);
    dispatch::take(&mut turn, event)?;
    settle::settle(&mut turn);
    Ok(turn.finish())
}
