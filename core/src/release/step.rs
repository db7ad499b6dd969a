//! The one function that decides.

use crate::model::Tick;

use super::turn::Turn;
use super::{Event, Refusal, State, Step, dispatch, settle};

/// Decides. Total and deterministic: the same arguments give the same step.
///
/// Two parts: the event is taken (a command, a fact), then the state is settled: every rule that
/// depends on time and on what is known now is asked again until none has anything to do. So
/// rules hold by level and not by edge, and an event that was lost or doubled does no harm.
pub fn step(state: &State, event: &Event, now: Tick) -> Result<Step, Refusal> {
    let mut turn = Turn::new(state, now);
    dispatch::take(&mut turn, event)?;
    settle::settle(&mut turn);
    Ok(turn.finish())
}
