//! L1: where a request goes. Pure: an immutable table, a lookup, a pick.
//!
//! The table is built by the controller, stored whole in one arc-swap, and read by every worker.

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
