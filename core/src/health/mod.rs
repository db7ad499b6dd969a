//! L1: what the thresholds make of probes. Pure: every result comes with its time.

mod check;
mod roster;
#[cfg(test)]
mod tests;
mod thresholds;

pub use check::{Check, CheckKind, Speech};
pub use roster::{ColorHealth, ProbeEffect, Roster};
pub use thresholds::{EndpointHealth, ProbeFailure, ProbeOutcome, Thresholds};
