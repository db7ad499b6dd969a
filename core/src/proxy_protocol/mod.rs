//! L1: the PROXY protocol, versions 1 and 2. With it a load balancer in front of the door says who the client
//! is, before the first byte of the client. The code is pure: bytes go in and addresses come out.
//!
//! The source is "The PROXY protocol, versions 1 & 2" (haproxy.org, 2020/03/05). Comments here cite its
//! sections. Where the document leaves a receiver a choice, this code is strict. The listener is configured
//! for peers that speak the protocol. So a peer whose first bytes are not exactly a header is a stranger, and
//! its connection is closed (section 5: a receiver must never guess whether a header is there).

mod fault;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

pub use fault::HeaderFault;

use std::net::SocketAddr;

/// The longest header that is accepted, in bytes. A header of version 1 has at most 107. Version 2 allows 64
/// KiB, but a header with every known TLV (section 2.2) has only a few hundred.
pub const HEADER_BYTES_MAX: usize = 4096;

/// The content of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The sender speaks for itself, as in a health check, or it does not know the client. The addresses
    /// of the socket hold.
    Local,
    /// The sender speaks for a client.
    Proxied {
        /// The address of the client.
        source: SocketAddr,
        /// The address that the client connected to.
        destination: SocketAddr,
    },
}

/// Reads the header at the beginning of `bytes`. Returns the header and its length in bytes. Returns `None`
/// if more bytes are needed; all given bytes belong to the header then.
///
/// # Errors
/// The bytes are not the beginning of a header that is accepted.
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
