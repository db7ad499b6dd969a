//! L1: where a request goes. Pure: an immutable table, a lookup, a pick.
//!
//! The table is built by the controller, stored whole in one arc-swap, and read by every worker.

mod balance;
mod settings;
mod table;

pub use balance::pick_two;
pub use settings::{Protocol, ServiceSettings};
pub use table::{
    ColorRoute, EndpointRoute, Found, HostFault, RouteTable, ServiceRoute, TableBuilder, normalize_host,
};
