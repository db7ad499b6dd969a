//! Parts that more than one test program of greenlight uses: a data plane in the test's own process ([`front`]), the
//! whole program ([`house`]), clients and origins of every kind, certificates, Docker Engines and registries, and the
//! checks that fuzzing runs.
//!
//! Everything here panics if something is wrong: a test that cannot go on has failed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, clippy::disallowed_methods)]
#![allow(clippy::new_without_default, reason = "a new authority has a new key each time: that is no default")]

pub mod certs;
pub mod client;
pub mod docker;
pub mod flow;
pub mod frames;
pub mod front;
pub mod fuzz;
pub mod h2_origin;
pub mod house;
pub mod inbox;
pub mod origin;
pub mod peer;
pub mod queued;
pub mod secure_client;
pub mod seeing;
pub mod setting;
