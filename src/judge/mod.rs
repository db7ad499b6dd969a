//! L1: whether the new colour is worse than the old one was. Pure: time is an argument.
//!
//! Evidence is every upstream attempt for a public host, in 1 s buckets per colour. The rule is a
//! CUSUM of the Bernoulli log-likelihood ratio against a frozen baseline (DESIGN.md section 3).

mod baseline;
mod bucket;
mod policy;
mod verdict;
mod watch;

pub use baseline::{Baseline, BaselineWindow};
pub use bucket::{Bucket, ClientKey, Outcome};
pub use policy::Policy;
pub use verdict::{Numbers, Trip, TripRule, Verdict};
pub use watch::Judge;
