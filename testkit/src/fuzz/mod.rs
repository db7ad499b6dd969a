//! The checks that fuzzing runs, one module for each target. The targets of `fuzz/` run them over libFuzzer's inputs;
//! `tests/release/fuzz_corpus.rs` runs them over the seeds and thousands of mutations of them.

pub mod body;
pub mod configuration;
pub mod forwarded;
pub mod proxy_header;
pub mod request;
pub mod response;
