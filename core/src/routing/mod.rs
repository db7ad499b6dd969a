//! L1: routing. It decides to which service, color and endpoint a request goes. It is pure: an immutable
//! table, a lookup by host, and a pick among endpoints.
//!
//! The controller builds the table and stores it whole in one arc-swap. Every worker reads it.

mod balance;
mod host;
mod index;
mod rescue;
mod route;
mod settings;
mod table;
#[cfg(test)]
mod tests;

pub use balance::{Candidate, Pick, WEIGHT_FULL, pick_two, slow_weight};
pub use host::{HostFault, normalize_host};
pub use rescue::tries_all;
pub use route::{ColorRoute, EndpointRoute, ServiceRoute};
pub use settings::{ErrorPage, Protocol, ServiceSettings};
pub use table::{HOOKS_PREFIX, RouteMatch, RouteTable, TableBuilder};
