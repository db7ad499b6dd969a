//! Accepts connections, with one task for each listener.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use super::listener::{Listener, ListenerFacts};
use super::transport;
use crate::data_plane::worker::address::ConnectionCount;
use crate::data_plane::worker::state::Worker;

/// The pause at the connection limit before the next look for room.
const FULL_PAUSE: Duration = Duration::from_millis(20);
/// The pause after an accept has failed because the system had no file, buffer or memory for a
/// connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// How long a shutdown goes on accepting what waits in the queues.
pub(crate) const QUEUE_TIME: Duration = Duration::from_secs(1);

/// Accepts until the task is aborted. At the connection limit it pauses, and the kernel's backlog holds
/// the connections that arrive meanwhile.
pub(crate) async fn accept(worker: Rc<Worker>, listener: Rc<TcpListener>, entry: Rc<Listener>) {
    loop {
        while !worker.has_room() {
            tokio::time::sleep(FULL_PAUSE).await;
        }
        match listener.accept().await {
            Ok((socket, peer)) => take(&worker, &entry, socket, peer),
            // The client gave up between its SYN and the accept.
            Err(why) if is_peers(&why) => {}
            Err(why) => {
                tracing::warn!(error = %why, worker = worker.parts.id, "accept failed, pausing");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

/// The listener's facts, with the port that it is bound to.
pub(crate) fn entry_of(listener: &TcpListener, facts: ListenerFacts) -> Rc<Listener> {
    Listener::new(facts, listener.local_addr().map_or(0, |address| address.port()))
}

/// Serves a connection, unless its client has too many.
fn take(worker: &Rc<Worker>, entry: &Rc<Listener>, socket: TcpStream, peer: SocketAddr) {
    // A small answer must not wait for further bytes. If the socket is gone, its first read shows it.
    let _ = socket.set_nodelay(true);
    let mut counted = ConnectionCount::new(&worker.parts.connections);
    // With the PROXY protocol the address is known only after the header, so it is claimed then.
    if !entry.facts.proxy_protocol && !worker.claim(&mut counted, peer.ip()) {
        return;
    }
    transport::serve(Rc::clone(worker), Rc::clone(entry), socket, peer, counted);
}

/// Accepts the connections that wait in the kernel's queue at a shutdown, for [`QUEUE_TIME`] at most. Their
/// clients hold them for open, and the close of the listener would reset them.
///
/// It asks the system for each one, because the runtime may not know yet of those that came last.
pub(crate) async fn empty(worker: Rc<Worker>, listener: Rc<TcpListener>, entry: Rc<Listener>) {
    let end = tokio::time::Instant::now() + QUEUE_TIME;
    while tokio::time::Instant::now() < end {
        if !worker.has_room() {
            tokio::time::sleep(FULL_PAUSE).await;
            continue;
        }
        match accept_now(&listener) {
            Ok((socket, peer)) => take(&worker, &entry, socket, peer),
            Err(why) if is_peers(&why) => {}
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => return,
            Err(_) => tokio::time::sleep(EXHAUSTED_PAUSE).await,
        }
        // The connections that are there go on meanwhile, and make room.
        tokio::task::yield_now().await;
    }
}

fn accept_now(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = SockRef::from(listener).accept()?;
    socket.set_nonblocking(true)?;
    let peer = peer.as_socket().ok_or(io::ErrorKind::InvalidData)?;
    Ok((TcpStream::from_std(socket.into())?, peer))
}

fn is_peers(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
