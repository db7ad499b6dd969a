//! Lines of each format as their programs write them, and whole logs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod formats;
mod runs;
