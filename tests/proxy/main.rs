//! The data plane over real sockets: raw clients, raw origins, tables built by hand.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod balance;
mod basics;
mod canary;
mod client;
mod control;
mod evidence;
mod failures;
mod flood;
mod front;
mod inbox;
mod limits;
mod lying;
mod origin;
mod queued;
mod retries;
#[path = "../support/setting.rs"]
mod setting;
mod shield;
mod timers;
mod upgrades;
