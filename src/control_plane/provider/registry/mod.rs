//! The part of a registry's HTTP API (OCI distribution specification 1.1) that moves tags. A manifest is
//! read by its digest and written again under a tag. No image passes through greenlight.

mod challenge;
mod client;
mod fault;
mod realm;
mod retag;

#[cfg(test)]
mod tests;

pub use client::{Login, Manifest, Registry};
pub use fault::RegistryFault;
pub use retag::{Retag, digest_of, login, retag};
