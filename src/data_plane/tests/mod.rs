//! The parts that need no socket; the rest is in `tests/data_plane/`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod address;
mod affinity;
mod balance;
mod chunk;
mod clocks;
mod farewell;
mod gate;
mod lane;
mod lifetime;
mod passes;
mod pool;
mod quiet;
mod sizes;
mod turn;
mod view;
