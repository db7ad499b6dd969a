//! The peer at the other end of a client connection, as the door describes it to the origin in fields
//! such as `X-Forwarded-For`.

use std::net::IpAddr;

/// The scheme of the client's request to the door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    #[default]
    Http,
    Https,
}

impl Scheme {
    /// The scheme as it is written in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of a URL that names no port.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The peer at the other end of a client connection, which is a client or a proxy. All requests of the
/// connection have the same peer.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The address at the other end of the socket. If the connection began with a PROXY header, it is the
    /// client's address from that header.
    pub address: IpAddr,
    /// The scheme of this connection.
    pub scheme: Scheme,
    /// The port that the client connected to. The door sends it as `X-Forwarded-Port`.
    pub port: u16,
    /// Whether `address` is in `[forwarding] trusted_proxies`. If it is, the door keeps the peer's
    /// `X-Forwarded-*`, `Forwarded` and `X-Request-Id` fields. Otherwise the door drops these fields and
    /// writes its own.
    pub trusted: bool,
}

impl Peer {
    /// A peer with this address. A dual-stack listener reports an IPv4 address as the IPv6 address
    /// `::ffff:a.b.c.d`. It is turned back into an IPv4 address, so that the IPv4 networks in
    /// `trusted_proxies` match it.
    pub fn new(address: IpAddr, scheme: Scheme, port: u16, trusted_proxies: &[ipnet::IpNet]) -> Self {
        let address = address.to_canonical();
        let trusted = trusted_proxies.iter().any(|net| net.contains(&address));
        Self { address, scheme, port, trusted }
    }
}
