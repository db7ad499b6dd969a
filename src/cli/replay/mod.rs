//! L1: the judge over an access log, as if releases had happened in it. Pure: lines in, numbers out.
//!
//! Before anybody lets a judge move traffic they should see how often it would have moved it when
//! nothing was wrong. A log of a service that ran well answers that: at every hour (or at times
//! that are asked for) a release is imagined, the ten minutes before it are its baseline, and what
//! came after it is judged as if it were the new version's. Each trip is a false revert, or an
//! incident that was in the log.
//!
//! | file | what |
//! |---|---|
//! | `line` | one line, as the judge counts it |
//! | `format` | the formats, and how one is recognized: `greenlight` `haproxy` `combined` `caddy` |
//! | `stamp` | times as logs write them |
//! | `seconds` | lines gathered to closed seconds; they come a little out of order |
//! | `trial` | one imagined release, and the same under other settings |
//! | `run` | the whole log; `finding` what came of it |
//!
//! Memory does not grow with the log: a minute of seconds, the rolling baseline, and one judge for
//! each release that is under way.

mod caddy;
mod combined;
mod finding;
mod format;
mod greenlight;
mod haproxy;
mod line;
mod run;
mod seconds;
mod stamp;
#[cfg(test)]
mod tests;
mod trial;

pub use finding::{DetectionTime, Finding, Findings, detection_time};
pub use format::Format;
pub use line::{Line, Parsed, ServiceFilter};
pub use run::{Plan, Replay, Settings};
pub use stamp::rfc3339_millis;
pub use trial::{VARIANTS, Variant};
