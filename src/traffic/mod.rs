//! L3: the counters that the data plane writes and the judge reads.
//!
//! Nothing is written by two workers: each keeps its own counts and hands them over when the
//! control plane collects them, once a second. What crosses between the two planes is here.

mod link;
mod report;

pub use link::{AskSender, Suspect, WorkerAsk, WorkerLink};
pub use report::{ColorCounts, EndpointInflight, WorkerReport};
