//! The rules. Each file decides one concern of a release.

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
pub(crate) mod incident;
pub(crate) mod pin;
pub(crate) mod promoting;
pub(crate) mod pushed;
pub(crate) mod quarantine;
pub(crate) mod queue;
pub(crate) mod rebuild;
pub(crate) mod restart;
pub(crate) mod reverting;
pub(crate) mod rollback;
pub(crate) mod standby;
pub(crate) mod starting;
pub(crate) mod supervise;
pub(crate) mod together;
pub(crate) mod trip;
