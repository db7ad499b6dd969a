//! The data plane over real sockets: raw clients, raw origins, tables built by hand.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod basics;
mod client;
mod control;
mod evidence;
mod failures;
mod front;
mod origin;
mod timers;
