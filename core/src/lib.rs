//! The pure decisions of greenlight. This crate has no clock, no IO, no async, no logging and no
//! randomness. Time is an argument, so a test can simulate ten thousand releases in a minute.
//!
//! | layer | modules | decisions |
//! |---|---|---|
//! | L0 | [`model`] | none; it holds the terms of the product as types |
//! | L1 | [`health`] [`judge`] [`release`] [`routing`] | health, verdicts, releases, routes |
//! | L1 | [`http1`] [`proxy_protocol`] | the meaning of bytes |

pub mod health;
pub mod http1;
pub mod judge;
pub mod model;
pub mod proxy_protocol;
pub mod release;
pub mod routing;
