//! Relations between the addresses that greenlight listens on.

use std::net::SocketAddr;

use super::Config;

/// For each listener of `old`, its index in `new`. A listener is identified by its bind, wherever it stands
/// in the file. If several listeners have the same bind (as with port 0), they are paired in their order.
#[must_use]
pub fn paired(old: &[SocketAddr], new: &[SocketAddr]) -> Vec<Option<usize>> {
    let mut taken = vec![false; new.len()];
    let place = |bind: &SocketAddr| {
        let found = (0..new.len()).find(|&at| !taken[at] && new[at] == *bind)?;
        taken[found] = true;
        Some(found)
    };
    old.iter().map(place).collect()
}

/// Whether the system refuses to bind both. It does so for one port of the same address, and for one port
/// of an address and of all addresses of its family. (Port 0 stands for another port each time.)
pub(super) fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    // `[::ffff:10.0.0.1]` is an IPv4 address.
    let [ip, other_ip] = [one, other].map(|bind| bind.ip().to_canonical());
    let of_all = ip.is_unspecified() || other_ip.is_unspecified();
    one.port() != 0
        && one.port() == other.port()
        && ip.is_ipv4() == other_ip.is_ipv4()
        && (of_all || (ip == other_ip && scope(one) == scope(other)))
}

/// The interface of a link-local address, by its scope id.
fn scope(bind: SocketAddr) -> u32 {
    match bind {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(bind) => bind.scope_id(),
    }
}

impl Config {
    /// The addresses of the public listeners, in the order of the file.
    #[must_use]
    pub fn listener_binds(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|listener| listener.bind).collect()
    }

    /// Every address that greenlight listens on, with its key.
    pub(super) fn binds(&self) -> impl Iterator<Item = (String, SocketAddr)> {
        let listeners = self.listeners.iter().enumerate();
        let listeners =
            listeners.map(|(index, listener)| (format!("listeners[{index}].bind"), listener.bind));
        let hooks = self.hooks.bind.map(|bind| ("hooks.bind".to_owned(), bind));
        [("admin.bind".to_owned(), self.admin.bind)].into_iter().chain(listeners).chain(hooks)
    }

    /// Whether a socket on `bind` must not take IPv4 connections (`IPV6_V6ONLY`). A socket on all IPv6
    /// addresses takes those of IPv4 too, unless another bind with the same port is an IPv4 address.
    #[must_use]
    pub fn is_ipv6_only(&self, bind: SocketAddr) -> bool {
        let of_ipv4 = |other: SocketAddr| other.port() == bind.port() && other.ip().to_canonical().is_ipv4();
        bind.is_ipv6()
            && bind.ip().is_unspecified()
            && bind.port() != 0
            && self.binds().any(|(_, other)| of_ipv4(other))
    }
}
