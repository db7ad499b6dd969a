//! L3: certificates by ACME (RFC 8555): ordered, kept in the store, renewed.
//!
//! - **One certificate a host.** A name whose validation fails takes no other one with it.
//! - **Two challenges, in turn.** HTTP-01 first where a plain listener is configured, else TLS-ALPN-01
//!   (RFC 8737); after a failure the other one: one of port 80 and port 443 is often closed.
//! - **Renewed at two thirds of its life**, whatever that is: 60 of 90 days, 4 of 6. A failure waits from one
//!   minute up to six hours, doubled each time, with a random half: many front doors that failed
//!   together do not come back together.
//! - **What was issued is kept before it is served**, with its key, and served at once after a restart,
//!   without asking anybody.
//! - **No placeholder.** Until a host's first certificate is there, and if the listener has no other one,
//!   handshakes are refused: a self-signed certificate would teach people to click warnings away.
//! - The wall clock decides here, and only here: it is what a certificate's dates are by.

mod account;
mod fault;
mod http;
mod keeper;
mod order;
mod proof;
mod schedule;
#[cfg(test)]
mod tests;

pub use fault::AcmeFault;
pub use keeper::{Keeper, Options};
