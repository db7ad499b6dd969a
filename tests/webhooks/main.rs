//! Incoming webhooks, outgoing messages, and hooks of a release. The tests run the real binary between real
//! senders and stubs of the receivers. `tests/docker` has the tests with containers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod incoming;
mod kit;
mod outgoing;
mod registry;
mod release_hooks;
mod stub;
