//! L3: the admin API (docs/cli.md), `/metrics`, `/healthz`, `/readyz`.
//!
//! It decides nothing: commands go to the controller's loop through its
//! [`Handle`](super::controller::Handle) and come back as [`Done`](super::controller::Done) or
//! [`Rejection`](super::controller::Rejection), which become a status here; reads are answered
//! from the views that the loop publishes and from the store, so that a busy loop never makes
//! `status` slow. Every fault, of whatever layer, is a problem document ([`Problem`]), and every
//! one that can happen is in the OpenAPI document, which is made from the handlers.
//!
//! Who may ask is settled before a handler runs (`guard`): a bearer token, or, on loopback
//! without one, a Host and an Origin that no foreign web page can have. Everything is bounded:
//! connections, streams, heads, bodies, waiting, remembered idempotency keys.

mod audit;
mod body;
mod caller;
mod commands;
mod events;
mod explain;
mod fields;
mod guard;
mod idempotency;
mod memory;
mod negotiate;
mod openapi;
mod path;
mod pin;
mod precondition;
mod problem;
mod quarantine;
mod releases;
mod reload;
mod router;
mod server;
mod services;
mod shared;
mod status;
mod token;

pub use commands::Answer;
pub use explain::Explanation;
pub use problem::Problem;
pub use server::{ServeFault, serve};
pub use shared::Options;
pub use token::Token;

#[cfg(test)]
mod tests;
