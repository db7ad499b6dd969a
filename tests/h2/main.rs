//! HTTP/2 over real sockets, towards clients and towards origins: the `h2` crate as the other end, and
//! frames made by hand where it is too well-behaved.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]
// The harness of `tests/proxy` is shared; each set uses its own part of it.
#![allow(dead_code)]

mod basics;
#[path = "../proxy/client.rs"]
mod client;
mod floods;
#[path = "../support/flow.rs"]
mod flow;
mod frames;
#[path = "../proxy/front.rs"]
mod front;
mod h2_origin;
#[path = "../proxy/inbox.rs"]
mod inbox;
#[path = "../proxy/origin.rs"]
mod origin;
mod peer;
#[path = "../proxy/queued.rs"]
mod queued;
mod rules;
#[path = "../support/setting.rs"]
mod setting;
mod timers;
mod tunnels;
mod upstream;
