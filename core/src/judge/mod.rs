//! L1: whether the new color is worse than the old one was. Pure: time is an argument.
//!
//! Evidence is every upstream attempt for a public host, in 1 s buckets per color, judged as they
//! close. The baseline is what the old color did before the switch, frozen. Each rule is a CUSUM
//! of the Bernoulli log-likelihood ratio (`cusum`): for independent requests at
//! just those two rates no test with as few false alarms has a shorter worst-case delay (Lorden,
//! 1971; Moustakides, 1986); it needs no fixed sample, and it may be looked at every second
//! without paying for each look. What real traffic does to that is said in `cusum`.
//!
//! Why not a comparison of the two colors side by side: with one atomic switch there is no old
//! traffic to compare with while the new color bakes. And why not a threshold on the rate of the
//! last minute: it is either slow or false, and its false alarms can't be counted beforehand.
//!
//! | file | what |
//! |---|---|
//! | `bucket` `clients` `times` `route` `routes` `failure` | what the data plane counts, bounded |
//! | `baseline` `window` `route_window` `dispersion` `wilson` `rates` | how it was, and what is too bad |
//! | `cusum` `ledger` `total` | the running score, and how much of it one second may be |
//! | `watch` `route_rules` `latency` | the rules; `verdict` `policy` the words |

mod baseline;
mod bucket;
mod clients;
mod control;
mod cusum;
mod dispersion;
mod failure;
mod latency;
mod ledger;
mod policy;
mod rates;
mod route;
mod route_rules;
mod route_window;
mod routes;
mod series;
#[cfg(test)]
mod tests;
mod times;
mod total;
mod verdict;
mod watch;
mod wilson;
mod window;

pub use baseline::{Baseline, LatencyBaseline, RouteBaseline};
pub use bucket::{Bucket, Outcome};
pub use clients::ClientKey;
pub use control::Control;
pub use failure::{FAILURES_MAX, FailedRequest};
pub use latency::SLOW_REPEATS_MAX;
pub use policy::{OnLatency, Policy};
pub use route::{RouteKey, RouteTemplate};
pub use series::{Counts, RuleSeries, Series};
pub use verdict::{Numbers, RouteNumbers, RuleNumbers, Trip, TripRule, Verdict};
pub use watch::Judge;
pub use window::BaselineWindow;

/// Route templates that have an error rule of their own.
pub(crate) const ROUTES_MAX: usize = 64;
/// Routes that a verdict shows.
pub(crate) const ROUTES_SHOWN: usize = 8;
