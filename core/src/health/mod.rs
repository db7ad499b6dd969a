//! Health, which the thresholds make of the results of probes. It is pure, and every result comes with
//! its time.

mod check;
mod roster;
#[cfg(test)]
mod tests;
mod thresholds;

pub use check::{Check, CheckKind, Speech};
pub use roster::{ColorHealth, ProbeEffect, Roster};
pub use thresholds::{EndpointHealth, ProbeFailure, ProbeOutcome, Thresholds};
