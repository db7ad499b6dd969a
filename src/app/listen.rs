//! Binds listening sockets. A fault names the configuration key that asked for the socket.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::config::Config;
use crate::data_plane::{bind_alone, bind_shared};

/// Why a bind failed, in words for the person who runs greenlight.
#[derive(Debug, thiserror::Error)]
pub(super) enum BindFault {
    #[error("{key} = \"{address}\": the port is taken by another program; stop it, or choose another port")]
    Taken { key: String, address: SocketAddr },
    #[error(
        "{key} = \"{address}\": this user may not bind it; choose a port from 1024 up, or give the program CAP_NET_BIND_SERVICE"
    )]
    Forbidden { key: String, address: SocketAddr },
    #[error("{key} = \"{address}\": {why}")]
    Other { key: String, address: SocketAddr, why: io::Error },
}

fn fault(key: &str, address: SocketAddr, why: io::Error) -> BindFault {
    let key = key.to_owned();
    match why.kind() {
        io::ErrorKind::AddrInUse => BindFault::Taken { key, address },
        io::ErrorKind::PermissionDenied => BindFault::Forbidden { key, address },
        _ => BindFault::Other { key, address, why },
    }
}

/// Binds one socket that no other socket can share.
pub(super) fn single(config: &Config, key: &str, address: SocketAddr) -> Result<TcpListener, BindFault> {
    bind_alone(address, config.is_ipv6_only(address)).map_err(|why| fault(key, address, why))
}

/// Binds `workers` listening sockets to one address. The kernel spreads connections over them.
pub(super) fn shared(
    config: &Config,
    key: &str,
    address: SocketAddr,
    workers: usize,
) -> Result<Vec<TcpListener>, BindFault> {
    bind_shared(address, config.is_ipv6_only(address), workers).map_err(|why| fault(key, address, why))
}
