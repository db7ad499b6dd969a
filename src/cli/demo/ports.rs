//! Loopback addresses that nobody uses.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Below the range that Linux takes outgoing connections' ports from (32768 on), so that none of
/// those takes a port between the moment it is chosen and the moment it is bound.
const RANGE: std::ops::Range<u16> = 20_000..32_000;
const TRIES: usize = 1000;

/// Whether this address can be bound now.
#[must_use]
pub fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok()
}

/// A free loopback address that is not among `taken`.
#[must_use]
pub fn free_address(taken: &[SocketAddr]) -> Option<SocketAddr> {
    (0..TRIES)
        .map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(RANGE))))
        .find(|address| !taken.contains(address) && is_free(*address))
}
