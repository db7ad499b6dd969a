//! The room under test, and nothing else of the product.

#[path = "../src/http1/mod.rs"]
pub mod http1;
