//! The limit of open files, the number of connections that follows from it, and the sockets to listen
//! on.

use std::io;
use std::net::{SocketAddr, TcpListener};

use rustix::process::{Resource, getrlimit, setrlimit};

/// The most client connections if the configuration says 0 and the limit of open files allows them.
const CONNECTIONS_DEFAULT: usize = 10_000;

/// Raises this process's soft limit of open files to the hard limit. Returns the limit in force.
///
/// # Errors
/// The system refuses the new limit.
pub fn raise_file_limit() -> io::Result<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(limit.current.unwrap_or(u64::MAX))
}

/// `limits.connections_max`, with 0 replaced by min(10 000, 0.4 x file limit). The factor is below one
/// half because a busy client connection needs a second file for its origin.
pub fn connections_max(configured: usize) -> usize {
    if configured > 0 {
        return configured;
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let share = usize::try_from(files / 5 * 2).unwrap_or(usize::MAX);
    share.clamp(1, CONNECTIONS_DEFAULT)
}

/// Opens a socket for `address`. A socket on all addresses of IPv6 would take IPv4 too; `ipv6_only`
/// prevents that.
fn open(address: SocketAddr, ipv6_only: bool) -> io::Result<socket2::Socket> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    if ipv6_only {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    Ok(socket)
}

/// Binds one listening, non-blocking socket that shares its address with no other socket.
///
/// # Errors
/// The system does not allow the address, or another socket has it.
pub fn bind_alone(address: SocketAddr, ipv6_only: bool) -> io::Result<TcpListener> {
    let socket = open(address, ipv6_only)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Binds `workers` sockets to one address with SO_REUSEPORT, so that the kernel spreads connections
/// over the workers' own sockets. A plain socket is bound first, because SO_REUSEPORT alone would share
/// a port on which another process of the same user listens, without an error. Port 0 picks one free port
/// for all of them.
///
/// The plain socket never listens. Otherwise a client that connects in that moment would be accepted by the
/// kernel, and reset when the socket is closed.
///
/// # Errors
/// The system does not allow the address, or another socket listens there.
pub fn bind_shared(address: SocketAddr, ipv6_only: bool, workers: usize) -> io::Result<Vec<TcpListener>> {
    // It stays bound until the others are, so that no other process can take port 0's choice meanwhile.
    let plain = open(address, ipv6_only)?;
    plain.bind(&address.into())?;
    let bound = plain.local_addr()?.as_socket().unwrap_or(address);
    (0..workers.max(1))
        .map(|_| {
            let socket = open(bound, ipv6_only)?;
            socket.set_reuse_port(true)?;
            socket.set_nonblocking(true)?;
            socket.bind(&bound.into())?;
            socket.listen(BACKLOG)?;
            Ok(socket.into())
        })
        .collect()
}

/// Connections that the kernel holds for a listener before it accepts them (capped by somaxconn).
const BACKLOG: i32 = 4096;

#[cfg(test)]
mod tests;
