//! L1: the release state machine. `step(state, event, now)` is total and deterministic: no clock,
//! no IO, no randomness; an event that does not fit comes back as [`Refused`].
//!
//! Effects come in two groups: those that may go at once, and those that may go only after the
//! new state is persisted. All are idempotent and can be derived again from the state
//! ([`reconcile`]), so that a crash at any point is safe.

mod effect;
mod event;
mod policy;
mod refused;
mod state;
mod step;

pub use effect::{Alarm, Effect, Notice};
pub use event::{Event, Source};
pub use policy::{Mode, OnInconclusive, OnTrip, Policy, Trigger, UpstreamKind};
pub use refused::Refused;
pub use state::{Degraded, Kind, Phase, Pin, Release, State};
pub use step::{Persist, Step, reconcile, restore, step};
