//! L1: the release state machine. [`step`] takes a state, an event and the time, and returns the next
//! state with the effects to perform. It is total and deterministic: no clock, no IO, no randomness.
//! An event that does not fit comes back as a [`Refusal`]. `docs/releases.md` describes the states,
//! guards, timers and corners; `docs/judge.md` describes the verdicts.
//!
//! Effects come in two groups: those that may go at once, and those that wait until the new state is
//! stored. All effects are idempotent and follow from the state ([`reconcile`]), so a crash at any
//! point is safe.
//!
//! `record` holds the types, `rules` the decisions, a file for each concern. `dispatch` takes an event.
//! Then `settle` asks every rule that depends on time and on what is known now, until no rule has
//! anything to do. `turn` collects what the rules change, `guards` holds the refusals that several
//! rules share, and `words` the sentences about numbers.
//!
//! | event or state | file in `rules` |
//! |---|---|
//! | `deploy`, a push | `accept` |
//! | `rollback` | `rollback` |
//! | `promote` | `checking`, `canary` |
//! | `abort`, `pin`, `unpin`, `pause`, `resume` | `pin` |
//! | `quarantine rm` | `quarantine` |
//! | queued | `queue` |
//! | pulling, starting | `starting` |
//! | checking, awaiting_promotion | `gate`, `checking`, `canary` |
//! | promoting | `promoting` |
//! | baking | `bake`, `trip` |
//! | reverting | `reverting` |
//! | degraded | `degraded` |
//! | succeeded, failed, cancelled, reverted, rolled_back | `ending` |
//! | the color that lost: warm, drained, stopped, removed | `standby` |
//! | hooks and tags | `errands` |
//! | `trigger = "on_healthy"` | `discovery` |
//! | alarms | `alarm` |
//! | a restart with the record | `restart` |
//! | a restart without the record, and what a crash left behind | `rebuild` |
//!
//! What never happens is in `record/invariants` ([`State::check`]).

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
