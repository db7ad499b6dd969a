//! What is decided of containers without an engine.

#![allow(clippy::unwrap_used, clippy::expect_used)]
