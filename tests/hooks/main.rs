//! Webhooks in, messages out, hooks of a release: the real binary between real senders and stubs of
//! the receivers. With containers it is `tests/docker`'s.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[allow(dead_code, reason = "shared with tests/front_door, which needs more of it")]
#[path = "../support/mod.rs"]
mod support;

mod incoming;
mod kit;
mod outgoing;
mod registry;
mod release_hooks;
mod stub;
