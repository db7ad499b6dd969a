//! The release state machine. `step(state, event, now)` is total and deterministic. It has no clock, no
//! I/O and no randomness. An event that does not fit is answered with a [`Refusal`].
//!
//! A step returns its effects in two groups. The first group may go at once. The second group may go only
//! after the new state is persisted. Every effect is idempotent and can be derived again from the state
//! ([`reconcile`]), so a crash at any point is safe.
//!
//! Each file in `rules` decides one concern. [`dispatch`] takes an event. Then [`settle`] asks every rule
//! that depends on time and on present knowledge, until none of them acts:
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
//! | hooks and tags | `errands` |
//! | pins, pauses, alarms, the on_healthy edge | `pin`, `alarm`, `discovery` |
//! | containers that ended by themselves | `supervise` |
//! | restarts | `restart` |
//! | a lost record, and containers that a crash left behind | `rebuild` |
//! | facts that hold after every step | `record/invariants` |

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
pub use record::presence::{Presence, Supervision};
pub use record::pushes::{Delivery, PushTaken, Pushes};
pub use record::refusal::Refusal;
pub use record::remains::{ContainerSet, PastRelease};
pub use record::side::{Fallback, Fate, KeptSet, Side};
pub use record::state::{Discovery, Pin, QuarantineEntry, State};
pub use record::step::{Note, Persist, Step};
pub use rules::gate::Gate;
pub use rules::rebuild::{left_behind, rebuild_from_containers, rebuild_from_history};
pub use rules::restart::{reconcile, restore};
pub use step::step;
