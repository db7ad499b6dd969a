//! L0: the terms of the product as types. They are plain data. This module uses no clock, no IO and no other
//! module of the crate.
//!
//! The types that the store keeps derive serde's traits here, where they are defined. So a record has one
//! definition, and not two that drift apart.

mod color;
mod endpoint;
mod half;
mod id;
mod image;
mod origin_tls;
mod registry;
#[cfg(test)]
mod tests;
mod time;
mod ulimit;
mod version;

pub use color::{Color, PerColor, UnknownColor};
pub use endpoint::{Endpoint, Health};
pub use half::is_more_than_half;
pub use id::{EndpointId, ReleaseId, ServiceName};
pub use image::{ImageReference, NotAnImage, is_digest, is_repository, is_tag};
pub use origin_tls::OriginTls;
pub use registry::{DOCKER_HUB, registry_of, split_registry};
pub use time::Tick;
pub use ulimit::ulimit;
pub use version::{Epoch, Revision, Version};
