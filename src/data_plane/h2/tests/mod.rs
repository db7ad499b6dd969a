//! Tests of greenlight's own parts of HTTP/2 that need no socket.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod heads;
mod payload;
mod points;
mod relabel;
