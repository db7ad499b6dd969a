//! L3: certificates by ACME (RFC 8555), which are ordered, kept in the store and renewed.
//!
//! - **One certificate per host.** A name whose validation fails does not affect the other names.
//! - **Two challenges, in turn.** HTTP-01 comes first if a plain listener is configured, else TLS-ALPN-01
//!   (RFC 8737). After a failure the other challenge is tried, because one of port 80 and port 443 is often
//!   closed.
//! - **Renewal at two thirds of the lifetime**, whatever the lifetime is (after 60 of 90 days, after 4 of
//!   6). After a failure the keeper waits for one minute at first and up to six hours. The wait is doubled
//!   each time and half of it is random, so that many front doors that failed together do not come back
//!   together.
//! - **A certificate is kept before it is served**, with its key. After a restart it is served at once,
//!   without any request to the ACME server.
//! - **No placeholder.** Until a host's first certificate is there, handshakes are refused if the listener
//!   has no other certificate. A self-signed certificate would teach people to click warnings away.
//! - The wall clock decides here, and only here, because a certificate's dates are wall-clock times.

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
