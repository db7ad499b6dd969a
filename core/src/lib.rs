//! The decisions of greenlight, pure: no clock, no IO, no async, no logging, no randomness.
//! Time is an argument, so a release can be simulated ten thousand times a minute.
//!
//! | layer | modules | what they decide |
//! |---|---|---|
//! | L0 | [`model`] | nothing: the words of the product as types |
//! | L1 | [`health`] [`judge`] [`release`] [`routing`] [`http1`] [`proxy_protocol`] | health, verdicts, releases, routes, and what bytes mean |

pub mod health;
pub mod http1;
pub mod judge;
pub mod model;
pub mod proxy_protocol;
pub mod release;
pub mod routing;
