//! Loopback addresses that no process uses.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// The ports to choose from. They lie below the range from which Linux takes the ports of outgoing
/// connections (32768 on). So no outgoing connection can take a port between the moment it is chosen and the
/// moment it is bound.
const RANGE: std::ops::Range<u16> = 20_000..32_000;
const TRIES: usize = 1000;

/// Whether a process could bind this address now.
#[must_use]
pub fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok()
}

/// A free address on 127.0.0.1 that is not among `taken`. `None` if 1000 random ports were not free.
#[must_use]
pub fn free_address(taken: &[SocketAddr]) -> Option<SocketAddr> {
    (0..TRIES)
        .map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(RANGE))))
        .find(|address| !taken.contains(address) && is_free(*address))
}
