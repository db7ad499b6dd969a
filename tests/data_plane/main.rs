//! The data plane in this process, over real sockets: raw clients, raw origins, tables built by hand.
//!
//! `files` needs a process of its own and starts one. `recorder` counts allocations thread by thread, so the other
//! tests do not disturb it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod differential;
mod files;
mod h2;
mod proxy;
mod recorder;
mod request_rules;
mod tls;
