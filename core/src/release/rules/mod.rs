//! The rules. A file holds one concern of a release; the table in [`crate::release`] says which events
//! and states are whose.
//!
//! A rule gets a [`crate::release::turn::Turn`] and changes the state in it. Rules hold by level and
//! not by edge: `settle` asks each rule again until no rule has anything to do, so an event that was
//! lost or doubled does no harm. The rules that call each other in a circle are the state graph
//! itself: `bake`, `trip`, `degraded` and `reverting`, and `queue` and `starting`.

pub(crate) mod accept;
pub(crate) mod alarm;
pub(crate) mod bake;
pub(crate) mod canary;
pub(crate) mod checking;
pub(crate) mod degraded;
pub(crate) mod discovery;
pub(crate) mod ending;
pub(crate) mod errands;
pub(crate) mod gate;
pub(crate) mod pin;
pub(crate) mod promoting;
pub(crate) mod quarantine;
pub(crate) mod queue;
pub(crate) mod rebuild;
pub(crate) mod restart;
pub(crate) mod reverting;
pub(crate) mod rollback;
pub(crate) mod standby;
pub(crate) mod starting;
pub(crate) mod trip;
