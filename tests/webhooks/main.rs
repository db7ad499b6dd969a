//! Webhooks in, messages out, hooks of a release: the real binary between real senders and stubs of
//! the receivers. With containers it is `tests/docker`'s.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod incoming;
mod kit;
mod outgoing;
mod registry;
mod release_hooks;
mod stub;
