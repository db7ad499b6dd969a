//! Tests with lines of each format, as the programs write them, and with whole logs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod formats;
mod runs;
mod variants;
