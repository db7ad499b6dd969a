//! L1: the release state machine. `step(state, event, now)` is total and deterministic: no clock,
//! no IO, no randomness; an event that does not fit comes back as [`Refusal`].
//!
//! Effects come in two groups: those that may go at once, and those that may go only after the
//! new state is persisted. All are idempotent and can be derived again from the state
//! ([`reconcile`]), so that a crash at any point is safe.
//!
//! A file here is one concern. An event is taken by [`dispatch`]; then [`settle`] asks every rule
//! that goes by time and by what is known now, until none has anything to do:
//!
//! | concern (docs/releases.md) | file |
//! |---|---|
//! | accepting a release, its guards | `accept`, `rollback` |
//! | queued | `queue` |
//! | pulling, starting | `starting` |
//! | checking, awaiting_promotion | `gate`, `checking`, `canary` |
//! | promoting | `promoting` |
//! | baking | `bake`, `trip` |
//! | reverting, degraded | `reverting`, `degraded` |
//! | final states, fates of the color that lost | `ending`, `standby`, `quarantine` |
//! | hooks and tags | `errand` |
//! | pins, pauses, alarms, the on_healthy edge | `pin`, `alarm`, `discovery` |
//! | restarts | `restart` |
//! | what never happens | `invariants` |

mod dispatch;
mod guards;
mod record;
mod rules;
mod settle;
mod step;
#[cfg(test)]
mod tests;
mod turn;
mod words;

pub use record::attempt::{Kind, Release};
pub use record::condition::Condition;
pub use record::effect::{Alarm, Effect, Notice};
pub use record::errand::{Errand, Errands, Run};
pub use record::event::{Event, Source};
pub use record::name::StateName;
pub use record::phase::{
    Awaiting, Bake, By, Canary, Checking, Degradation, DegradedCause, ExternalCause, Phase, Promoting,
    Queued, Reverting, Stage, Starting, Stretch,
};
pub use record::policy::{Mode, OnInconclusive, OnTrip, Policy, Trigger, UpstreamKind};
pub use record::refusal::Refusal;
pub use record::remains::{ContainerSet, PastRelease};
pub use record::side::{Fallback, Fate, KeptSet, Side};
pub use record::state::{Discovery, Pin, QuarantineEntry, State};
pub use record::step::{Note, Persist, Step};
pub use rules::gate::Gate;
pub use rules::rebuild::{left_behind, rebuild_from_containers, rebuild_from_history};
pub use rules::restart::{reconcile, restore};
pub use step::step;
