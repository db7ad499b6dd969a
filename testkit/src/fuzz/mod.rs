//! The checks that fuzzing runs, with one module for each target. The targets of `fuzz/` run them over the
//! inputs of libFuzzer. `tests/release/fuzz_corpus.rs` runs them over the seeds and over thousands of their
//! mutations.

pub mod body;
pub mod configuration;
pub mod forwarded;
pub mod proxy_header;
pub mod request;
pub mod response;
