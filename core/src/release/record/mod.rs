//! The types of a service's record and of its releases, as they are stored, sent and shown. The rules are
//! elsewhere.

pub(crate) mod attempt;
pub(crate) mod condition;
pub(crate) mod effect;
pub(crate) mod errand;
pub(crate) mod event;
pub(crate) mod invariants;
pub(crate) mod name;
pub(crate) mod outlook;
pub(crate) mod phase;
pub(crate) mod policy;
pub(crate) mod presence;
pub(crate) mod pushes;
pub(crate) mod refusal;
pub(crate) mod remains;
pub(crate) mod side;
pub(crate) mod state;
pub(crate) mod step;
