#![allow(clippy::unwrap_used)]
use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[test]
fn a_port_on_which_another_socket_listens_is_refused() {
    let shared = bind_shared(any(), false, 2).unwrap();
    let address = shared[0].local_addr().unwrap();
    assert!(shared.iter().all(|socket| socket.local_addr().unwrap() == address));
    assert_eq!(bind_shared(address, false, 2).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(bind_alone(address, false).unwrap_err().kind(), ErrorKind::AddrInUse);
    let wide = SocketAddr::from(([0, 0, 0, 0], address.port()));
    assert_eq!(bind_shared(wide, false, 1).unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(shared);
    let alone = bind_alone(address, false).unwrap();
    assert_eq!(bind_shared(address, false, 2).unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(alone);
    assert_eq!(bind_shared(address, false, 2).unwrap().len(), 2);
}

/// A client that connects while the sockets are bound is either refused or kept for a worker.
#[test]
fn no_client_that_got_a_connection_is_reset_while_the_sockets_are_bound() {
    let mut resets = 0;
    for _ in 0..2000 {
        let address = bind_alone(any(), false).unwrap().local_addr().unwrap();
        let (tried, bound) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let client = scope.spawn(|| {
                let mut connected = Vec::new();
                while !bound.load(Ordering::Acquire) {
                    // A socket may connect to itself while no other socket listens on the port.
                    let other = |socket: &TcpStream| socket.local_addr().unwrap() != address;
                    connected.extend(TcpStream::connect(address).ok().filter(other));
                    tried.store(true, Ordering::Release);
                }
                connected
            });
            while !tried.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            // The client may hold the port itself, by such a connection.
            let sockets = loop {
                match bind_shared(address, false, 2) {
                    Ok(sockets) => break sockets,
                    Err(why) => assert_eq!(why.kind(), ErrorKind::AddrInUse),
                }
            };
            bound.store(true, Ordering::Release);
            for mut socket in client.join().unwrap() {
                socket.set_nonblocking(true).unwrap();
                resets += usize::from(socket.read(&mut [0]).unwrap_err().kind() != ErrorKind::WouldBlock);
            }
            drop(sockets);
        });
    }
    assert_eq!(resets, 0);
}
