//! L3: active checks. Each endpoint on its own schedule with jitter, a fresh connection a probe.

mod prober;

pub use prober::{ProbeReport, ProbeTarget, Prober};
