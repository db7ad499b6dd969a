//! The parts that need no socket; the rest is in `tests/proxy/`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod chunk;
mod clocks;
mod lane;
mod pool;
mod sizes;
mod turn;
mod view;
