//! Tests of the parts that need no socket. The other tests are in `tests/data_plane/`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod address;
mod affinity;
mod balance;
mod chunk;
mod clocks;
mod connect_limit;
mod copy_loop;
mod drain_close;
mod lifetime;
mod passes;
mod pool;
mod quiet;
mod request_limit;
mod sizes;
mod view;
