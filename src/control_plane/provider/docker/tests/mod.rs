//! Tests of the decisions that need no engine.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod containers;
mod credentials;
mod faults;
mod places;
mod specs;
