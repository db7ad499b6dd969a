//! Tests of the whole program: the real binary with real upstream processes and real sockets on free ports.
//! Some modules test a single part that needs a process to kill, to measure or to talk to: `store_kill`,
//! `probe_cost`, `replay` and `acme`.
//!
//! Counts are small here. `tests/nightly` asks for the full counts by environment variables, and puts the
//! lines that begin with `RESULT` into its table.

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
mod signals;
mod store_kill;
mod stuck_log;
mod switches;
mod traffic;
