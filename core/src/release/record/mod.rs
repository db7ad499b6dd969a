//! A service's record as types: what is stored, sent and shown. The rules that change it are in
//! [`super::rules`].
//!
//! | file | what it holds |
//! |---|---|
//! | `state` `attempt` `phase` `side` | the record: a service, its release, the release's state, a color |
//! | `policy` | the configuration that decisions need |
//! | `event` `refusal` | what comes in, and why it is not taken |
//! | `effect` `step` `errand` | what goes out |
//! | `remains` | what is left when the record is lost |
//! | `condition` `outlook` | what others read off a record |
//! | `invariants` | what never happens |

pub(crate) mod attempt;
pub(crate) mod condition;
pub(crate) mod effect;
pub(crate) mod errand;
pub(crate) mod event;
pub(crate) mod invariants;
pub(crate) mod outlook;
pub(crate) mod phase;
pub(crate) mod policy;
pub(crate) mod refusal;
pub(crate) mod remains;
pub(crate) mod side;
pub(crate) mod state;
pub(crate) mod step;
