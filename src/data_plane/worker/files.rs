//! File descriptors: how many there may be, and what is made of that.

use std::io;
use std::net::{SocketAddr, TcpListener};

use rustix::process::{Resource, getrlimit, setrlimit};

/// Client connections when the configuration says 0 and files are no limit.
const CONNECTIONS_DEFAULT: usize = 10_000;

/// Raises this process's soft limit of open files to the hard one; returns the limit in force.
pub fn raise_file_limit() -> io::Result<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(limit.current.unwrap_or(u64::MAX))
}

/// `limits.connections_max` with its 0 worked out: min(10 000, 0.4 x file limit), since a busy
/// client connection needs a second file for its origin.
pub fn connections_max(configured: usize) -> usize {
    if configured > 0 {
        return configured;
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let share = usize::try_from(files / 5 * 2).unwrap_or(usize::MAX);
    share.clamp(1, CONNECTIONS_DEFAULT)
}

/// A socket that is to be bound to `address`. `ipv6_only` leaves IPv4 alone, which a socket on all
/// addresses of IPv6 would take too.
fn open(address: SocketAddr, ipv6_only: bool) -> io::Result<socket2::Socket> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    if ipv6_only {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    Ok(socket)
}

/// Binds one address for one socket alone; non-blocking.
pub fn bind_alone(address: SocketAddr, ipv6_only: bool) -> io::Result<TcpListener> {
    let socket = open(address, ipv6_only)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Binds one address `workers` times with SO_REUSEPORT, so that the kernel spreads connections
/// over the workers' own sockets. A plain bind comes first: SO_REUSEPORT alone would share a port
/// that another process of the same user holds, without an error. Port 0 picks one free
/// port for all of them.
pub fn bind_shared(address: SocketAddr, ipv6_only: bool, workers: usize) -> io::Result<Vec<TcpListener>> {
    let plain = open(address, ipv6_only)?;
    plain.bind(&address.into())?;
    // Listening is what makes a plain bind exclusive under SO_REUSEADDR.
    plain.listen(1)?;
    let bound = plain.local_addr()?.as_socket().unwrap_or(address);
    drop(plain);
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
