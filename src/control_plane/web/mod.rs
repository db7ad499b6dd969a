//! HTTP of the control plane: how its listeners are served ([`serve`]) and how others are asked ([`ask`]).
//!
//! The data plane has its own codec and its own rules; here are people, webhooks, registries and receivers of
//! messages, few at a time, and libraries do the work. What is decided here is decided for all of them: limits and
//! an orderly end for whoever comes in; no proxy from the environment and no redirect for whatever goes out.

pub mod ask;
pub mod serve;
