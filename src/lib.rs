//! greenlight: a front door that releases by itself.
//!
//! Imports go down only (`tests/tidy` keeps it so). `ARCHITECTURE.md` has the map, the
//! invariants, and the walks of a request, a probe and a release.
//!
//! | layer | modules | may do |
//! |---|---|---|
//! | L0, L1 | the crate `greenlight-core`: [`model`] [`health`] [`judge`] [`release`] [`routing`] [`http1`] [`proxy_protocol`] | decide: no clock, no IO, no async, no logging |
//! | L2 | [`config`] | turn a file into a validated configuration |
//! | L3 | [`data_plane`] [`control_plane`], with [`tasks`], [`tls`] and [`traffic`] below both | move bytes, keep time |
//! | L4 | [`cli`] [`app`] | name every module |

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
