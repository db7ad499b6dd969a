//! The one function that decides.

use crate::model::Tick;

use super::{Effect, Event, Refused, State};

/// How soon the new state must be in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persist {
    /// Nothing that is stored has changed.
    No,
    /// Counters only: with the next write, at the latest after a second.
    Soon,
    /// Before `after_persist` may go.
    Now,
}

/// What an event leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub state: State,
    /// May go at once.
    pub now: Vec<Effect>,
    /// Only after `state` is persisted.
    pub after_persist: Vec<Effect>,
    pub persist: Persist,
    /// The next time that [`Event::Deadline`] is due.
    pub deadline: Option<Tick>,
    /// What happened, for the record and for people; empty when nothing worth a line did.
    pub reason: String,
}

/// Decides. Total and deterministic.
pub fn step(state: &State, event: &Event, now: Tick) -> Result<Step, Refused> {
    let _ = (state, event, now);
    todo!("release helper")
}

/// Every effect that the state implies, for a start after a crash.
pub fn reconcile(state: &State, now: Tick) -> Vec<Effect> {
    let _ = (state, now);
    todo!("release helper")
}

/// A stored state (saved as if at tick 0) on the clock of a new process, with what DESIGN.md says
/// of a restart: at least 60 s of a progress deadline, at least min(60 s, bake_time) of a bake.
pub fn restore(saved: State, now: Tick) -> State {
    let _ = now;
    saved
}
