//! L3: where endpoints come from. `fixed` takes them from the configuration. `docker` runs containers, or
//! follows containers that somebody else runs.

pub mod docker;
mod fixed;
mod lookup;
pub mod registry;
#[cfg(test)]
mod tests;

pub use fixed::{FixedProvider, FixedSource, ProviderUpdate};
