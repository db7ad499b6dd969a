#![allow(clippy::unwrap_used, clippy::expect_used)]

mod again;
mod allow;
mod intake;
mod payloads;
mod senders;
