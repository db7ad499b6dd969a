//! The client's end of a connection, as the door describes it to the origin.

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

/// The peer at the other end of a client connection. It is the same for all requests of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The address at the other end of the socket, or the client's address in a PROXY header.
    pub address: IpAddr,
    /// The scheme of this connection.
    pub scheme: Scheme,
    /// The port that the client connected to, for `X-Forwarded-Port`.
    pub port: u16,
    /// Whether the address is in `[forwarding] trusted_proxies`. The door then keeps the peer's
    /// `X-Forwarded-*` and `X-Request-Id`.
    pub trusted: bool,
}

impl Peer {
    /// A peer at this address. A dual-stack listener shows IPv4 addresses as IPv6 addresses
    /// (`::ffff:a.b.c.d`); they count as IPv4 here.
    pub fn new(address: IpAddr, scheme: Scheme, port: u16, trusted_proxies: &[ipnet::IpNet]) -> Self {
        let address = address.to_canonical();
        let trusted = trusted_proxies.iter().any(|net| net.contains(&address));
        Self { address, scheme, port, trusted }
    }
}
