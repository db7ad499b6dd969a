//! L3: the messages between the two planes, and the counts that the data plane writes and the judge reads.
//!
//! No two workers write the same memory. Each worker keeps its own counts and hands them over when the
//! control plane collects them, once a second.

mod link;
mod report;

pub use link::{AskSender, Suspect, WorkerAsk, WorkerLink};
pub use report::{ColorCounts, EndpointInflight, WorkerReport};
