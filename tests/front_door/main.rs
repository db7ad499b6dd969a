//! The whole proxy: the real binary, real upstream processes, real sockets, on free ports.
//!
//! One binary, so that it is linked once. Counts are small here; `tests/nightly` asks for the full
//! ones by environment variables. Lines that begin with `RESULT` go into its table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod families;
#[path = "../support/flow.rs"]
mod flow;
mod gate;
#[allow(dead_code, reason = "each set uses its own part of it")]
#[path = "../h2/h2_origin.rs"]
mod h2_origin;
mod kill9;
mod lasting;
mod long_lived;
mod multiplexed;
mod origin;
mod prior_knowledge;
mod probes;
mod reverts;
mod shield;
mod switches;
mod traffic;
