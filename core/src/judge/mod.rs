//! The judge decides whether the new color is worse than the old one was. It is pure, and time is an
//! argument.
//!
//! The evidence is every upstream attempt for a public host, in buckets of 1 s for each color, judged as
//! they close. The baseline is the old color's traffic before the switch, frozen. Each rule is a CUSUM of
//! the Bernoulli log-likelihood ratio (`cusum`). For independent requests at exactly those two rates no
//! test with as few false alarms has a shorter worst-case delay (Lorden, 1971; Moustakides, 1986). A
//! CUSUM needs no fixed sample, and it may be looked at every second without a cost for each look. The
//! module `cusum` says how far this holds for real traffic.
//!
//! There are two alternatives, and each has a flaw. A comparison of the two colors side by side needs old
//! traffic, and with one atomic switch there is none while the new color bakes. A threshold on the rate
//! of the last minute is either slow or false, and its false alarms can't be counted beforehand.
//!
//! | file | content |
//! |---|---|
//! | `bucket` `clients` `times` `route` `routes` `failure` | the bounded counts of the data plane |
//! | `baseline` `window` `route_window` `memory` | the old color's past: ten minutes, and a day |
//! | `dispersion` `wilson` `rates` | the statistics of the past, and the rates that are too bad |
//! | `control` | the old color while it still answers beside the candidate |
//! | `cusum` `ledger` `total` | the running score, and the most that one second may add |
//! | `watch` `route_rules` `latency` | the rules |
//! | `verdict` `policy` | the verdict and its numbers, and the configuration |
//! | `power` | how likely a bake finds a bad version |
//! | `series` | the course of a release, for people |

mod baseline;
mod bucket;
mod clients;
mod control;
mod cusum;
mod dispersion;
mod failure;
mod incident;
mod latency;
mod ledger;
mod memory;
mod policy;
mod power;
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
pub use latency::{SLOW_REPEATS_MAX, STALL_AFTER_MIN};
pub use memory::{Memory, Usual};
pub use policy::{OnLatency, Policy};
pub use power::power;
pub use route::{RouteKey, RouteTemplate};
pub use series::{Counts, RuleSeries, Series};
pub use verdict::{Numbers, RouteNumbers, RuleNumbers, Trip, TripRule, Verdict};
pub use watch::Judge;
pub use window::BaselineWindow;

/// Route templates that have an error rule of their own.
pub(crate) const ROUTES_MAX: usize = 64;
/// The most routes that a verdict shows.
pub(crate) const ROUTES_SHOWN: usize = 8;
