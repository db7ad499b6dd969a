//! Binding: a plain bind first, so that a taken port is seen; then one socket a worker.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel holds for us while a worker is busy.
const BACKLOG: i32 = 4096;

/// A bind that failed, in words.
#[derive(Debug, thiserror::Error)]
pub(super) enum BindFault {
    #[error("{key} = \"{address}\": the port is taken by another program; stop it, or choose another port")]
    Taken { key: String, address: SocketAddr },
    #[error("{key} = \"{address}\": this user may not bind it; choose a port from 1024 up, or give the program CAP_NET_BIND_SERVICE")]
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

fn socket(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// One listening socket nobody else may have.
pub(super) fn single(key: &str, address: SocketAddr) -> Result<TcpListener, BindFault> {
    socket(address, false).map(TcpListener::from).map_err(|why| fault(key, address, why))
}

/// `workers` listening sockets on one address; the kernel spreads connections over them. With
/// port 0 all get the port that the first was given.
pub(super) fn shared(key: &str, address: SocketAddr, workers: usize) -> Result<Vec<TcpListener>, BindFault> {
    let in_fault = |why| fault(key, address, why);
    // Without SO_REUSEPORT a port that any other program listens on is refused; with it a second
    // greenlight would silently take half of the connections.
    let probe = single(key, address)?;
    let address = probe.local_addr().map_err(in_fault)?;
    drop(probe);
    (0..workers).map(|_| socket(address, true).map(TcpListener::from).map_err(in_fault)).collect()
}
