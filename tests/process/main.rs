//! The whole proxy: the real binary, real upstream processes, real sockets, on free ports. And single parts of it
//! that need a process to kill, to measure or to ask: `store_kill`, `probe_cost`, `replay`, `acme`.
//!
//! Counts are small here; `tests/nightly` asks for the full ones by environment variables. Lines that begin with
//! `RESULT` go into its table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod acme;
mod bad_input;
mod families;
mod gate;
mod kill9;
mod lasting;
mod long_lived;
mod multiplexed;
mod origin;
mod prior_knowledge;
mod probe_cost;
mod probes;
mod replay;
mod reverts;
mod shield;
mod store_kill;
mod switches;
mod traffic;
