//! What is decided without an engine.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod containers;
mod credentials;
mod faults;
mod places;
mod specs;
