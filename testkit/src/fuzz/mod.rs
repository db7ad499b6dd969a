//! What fuzzing asserts, one module for each target: the targets of `fuzz/` run these checks over what libFuzzer makes
//! up, `tests/release/fuzz_corpus.rs` over the seeds and thousands of mutations of them.

pub mod body;
pub mod configuration;
pub mod forwarded;
pub mod proxy_header;
pub mod request;
pub mod response;
