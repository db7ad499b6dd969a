//! L3: where endpoints come from: `fixed` lists them in the configuration; `docker` later runs
//! containers.

mod fixed;
mod lookup;
pub mod registry;
#[cfg(test)]
mod tests;

pub use fixed::{FixedProvider, FixedSource, ProviderUpdate};
