//! From a pushed image to retired containers, against a real Docker Engine and a real registry.
//!
//! Each test has a registry, a door and names of its own. The engine that runs the containers and the engine
//! that makes the images are shared, because engines take long to start.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod credentials;
mod engines;
mod far;
mod follow;
mod gatekeeper;
mod hooks;
mod imports;
mod kills;
mod moments;
mod own_image;
mod provider;
mod refused;
mod relay;
mod released;
mod site;
mod slack;
mod stuck;
mod supervised;
