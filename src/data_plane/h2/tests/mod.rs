//! The parts of HTTP/2 that are ours and need no socket.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod heads;
mod points;
