//! Binding, with the key that asked for it in the fault.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::proxy::bind_shared;

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
pub(super) fn single(key: &str, address: SocketAddr) -> Result<TcpListener, BindFault> {
    let in_fault = |why| fault(key, address, why);
    let listener = TcpListener::bind(address).map_err(in_fault)?;
    listener.set_nonblocking(true).map_err(in_fault)?;
    Ok(listener)
}

/// `workers` listening sockets on one address; the kernel spreads connections over them.
pub(super) fn shared(key: &str, address: SocketAddr, workers: usize) -> Result<Vec<TcpListener>, BindFault> {
    bind_shared(address, workers).map_err(|why| fault(key, address, why))
}
