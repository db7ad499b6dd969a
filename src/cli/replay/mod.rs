//! Runs the judge over an access log, as if releases had happened in it. The module is pure. It takes lines
//! and gives numbers.
//!
//! Before a person lets a judge move traffic, that person should see how often the judge would have moved
//! it when nothing was wrong. The log of a service that ran well answers that question. The replay imagines
//! a release at every hour, or at the times that a person gives. The ten minutes before the release are its
//! baseline. The replay judges the requests after it as if the new version had answered them. Each trip is a
//! false revert, or an incident that is in the log.
//!
//! | file | content |
//! |---|---|
//! | `line` | one line, as the judge counts it |
//! | `format` | the formats, and how one is recognized: `greenlight`, `haproxy`, `combined`, `caddy`, `traefik`, `envoy`, `nginx_json` |
//! | `trailer` `scalar` | fields that differ from log to log |
//! | `stamp` | times as logs write them |
//! | `seconds` | the lines of each second, which come a little out of order |
//! | `trial` | one imagined release, judged under the given settings and under others |
//! | `run` | the replay of a whole log |
//! | `finding` | the results of a replay |
//!
//! Memory does not grow with the length of the log. The replay holds about a minute of seconds, the rolling
//! baseline, the judges of each release that is under way, and at most 10 000 findings.

mod caddy;
mod combined;
mod envoy;
mod finding;
mod format;
mod greenlight;
mod haproxy;
mod line;
mod nginx_json;
mod run;
mod scalar;
mod seconds;
mod stamp;
#[cfg(test)]
mod tests;
mod traefik;
mod trailer;
mod trial;

pub use finding::{DetectionTime, Finding, Findings, detection_time};
pub use format::Format;
pub use line::{Line, Parsed, ServiceFilter};
pub use run::{Plan, Replay, Settings};
pub use stamp::rfc3339_millis;
pub use trial::{VARIANTS, Variant};
