//! L1: the PROXY protocol, versions 1 and 2: what a load balancer in front says of the client
//! before the client's first byte. Pure: bytes in, addresses out.
//!
//! Source: "The PROXY protocol, versions 1 & 2" (haproxy.org, 2020/03/05), here by its sections.
//! Where a receiver may choose we are strict: a peer is configured to speak it, so what is not
//! exactly a header is a stranger, and its connection is closed (section 5: a receiver must never
//! guess whether a header is there).

mod fault;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

pub use fault::HeaderFault;

use std::net::SocketAddr;

/// The longest header that is taken, in bytes. Version 1 has at most 107; version 2 could have 64 KiB,
/// and with every TLV that is known (section 2.2) a few hundred.
pub const HEADER_BYTES_MAX: usize = 4096;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The sender speaks for itself (a health check), or does not know: the ends of the socket count.
    Local,
    Proxied {
        /// The client.
        source: SocketAddr,
        /// What it connected to.
        destination: SocketAddr,
    },
}

/// Reads the header that `bytes` begin with, and tells how long it is; `None`: more bytes are needed,
/// and all of those that are there belong to it.
///
/// # Errors
/// The bytes are not the begin of a header that is taken.
pub fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, HeaderFault> {
    let begins = |signature: &[u8]| {
        let length = bytes.len().min(signature.len());
        bytes[..length] == signature[..length]
    };
    if begins(v2::SIGNATURE) {
        v2::parse(bytes)
    } else if begins(v1::BEGIN) {
        v1::parse(bytes)
    } else {
        Err(HeaderFault::Missing)
    }
}
