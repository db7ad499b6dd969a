#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod http2;
mod schedules;
mod sockets;
