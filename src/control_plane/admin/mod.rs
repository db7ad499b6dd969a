//! L3: the admin API (docs/cli.md), `/metrics`, `/healthz`, `/readyz`.
//!
//! The API decides nothing. Commands go to the controller's loop through its
//! [`Handle`](super::controller::Handle). They come back as [`Done`](super::controller::Done) or
//! [`Rejection`](super::controller::Rejection), which become a status here. Reads are answered from the
//! views that the loop publishes and from the store, so that a busy loop never makes `status` slow. Every
//! fault of any layer is a problem document ([`Problem`]). Every fault that can happen is in the OpenAPI
//! document, which is made from the handlers.
//!
//! `guard` settles whether a request is let in before a handler runs. It asks for a bearer token. On
//! loopback without a token, it asks for a Host and an Origin that no foreign web page can have. Everything
//! has a limit: connections, streams, heads, bodies, waiting, and remembered idempotency keys.

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
