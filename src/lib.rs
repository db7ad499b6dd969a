//! greenlight is a front door for services that also releases new versions of them by itself.
//!
//! A module imports only modules of its own layer or of a lower one, and `tests/tidy` checks this.
//! `ARCHITECTURE.md` has the map, the list of things that never happen, and the paths of a request, a probe
//! and a release.
//!
//! | layer | modules | may do |
//! |---|---|---|
//! | L0 | [`model`], in the crate `greenlight-core` | hold data |
//! | L1 | [`health`] [`judge`] [`release`] [`routing`], in the same crate | decide, without clock and IO |
//! | L1 | [`http1`] [`proxy_protocol`], in the same crate | parse and format bytes, without clock and IO |
//! | L2 | [`config`] | turn a file into a validated configuration |
//! | L3 | [`data_plane`] [`control_plane`] | move bytes, keep time |
//! | L3 | [`tasks`] [`tls`] [`traffic`], below both planes | serve both planes |
//! | L4 | [`cli`] [`app`] | import every module |
//!
//! The crate `greenlight-core` has no clock, no IO, no async and no logging.

#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub use greenlight_core::{health, http1, judge, model, proxy_protocol, release, routing};

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control_plane;
pub mod data_plane;
pub mod tasks;
pub mod tls;
pub mod traffic;
