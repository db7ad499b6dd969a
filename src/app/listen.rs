//! Binding, with the key that asked for it in the fault.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::config::Config;
use crate::data_plane::{bind_alone, bind_shared};

/// A bind that failed, in words.
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

/// One listening socket nobody else may have.
pub(super) fn single(config: &Config, key: &str, address: SocketAddr) -> Result<TcpListener, BindFault> {
    bind_alone(address, config.is_ipv6_only(address)).map_err(|why| fault(key, address, why))
}

/// `workers` listening sockets on one address; the kernel spreads connections over them.
pub(super) fn shared(
    config: &Config,
    key: &str,
    address: SocketAddr,
    workers: usize,
) -> Result<Vec<TcpListener>, BindFault> {
    bind_shared(address, config.is_ipv6_only(address), workers).map_err(|why| fault(key, address, why))
}
