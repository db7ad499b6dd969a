//! greenlight: a front door that releases by itself.
//!
//! The crate is one package in layers; imports go down only (`tests/tidy.rs` keeps it so).
//! `ARCHITECTURE.md` has the map, the invariants, and the walks of a request, a probe and a release.
//!
//! | layer | rooms | may do |
//! |---|---|---|
//! | L0 | [`model`] | nothing but data |
//! | L1 | [`health`] [`judge`] [`release`] [`replay`] [`routing`] [`http1`] [`proxy_protocol`] | decide: no clock, no IO, no async, no logging |
//! | L2 | [`config`] [`import`] | turn a file into a validated configuration; turn what people run today into such a file |
//! | L3 | [`controller`] [`proxy`] [`probe`] [`traffic`] [`provider`] [`store`] [`tls`] [`web`] [`acme`] [`hooks`] [`notify`] [`admin`] | move bytes, keep time |
//! | L4 | [`cli`] [`app`] | name every room |

pub mod acme;
pub mod admin;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod controller;
pub mod health;
pub mod hooks;
pub mod http1;
pub mod import;
pub mod judge;
pub mod model;
pub mod notify;
pub mod probe;
pub mod provider;
pub mod proxy;
pub mod proxy_protocol;
pub mod release;
pub mod replay;
pub mod routing;
pub mod store;
pub mod tls;
pub mod traffic;
pub mod web;
