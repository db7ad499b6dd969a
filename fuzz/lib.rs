//! The rooms under test, and the pure ones they stand on.

#[path = "../src/config/mod.rs"]
pub mod config;
#[path = "../src/health/mod.rs"]
pub mod health;
#[path = "../src/http1/mod.rs"]
pub mod http1;
#[path = "../src/judge/mod.rs"]
pub mod judge;
#[path = "../src/model/mod.rs"]
pub mod model;
#[path = "../src/proxy_protocol/mod.rs"]
pub mod proxy_protocol;
#[path = "../src/release/mod.rs"]
pub mod release;
#[path = "../src/routing/mod.rs"]
pub mod routing;
