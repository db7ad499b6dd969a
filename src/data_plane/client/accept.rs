//! Accepts connections, with one task for each listener.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::listener::{Listener, ListenerFacts};
use super::transport;
use crate::data_plane::worker::address::ConnectionCount;
use crate::data_plane::worker::state::Worker;

/// The pause at the connection limit before the next look for room.
const FULL_PAUSE: Duration = Duration::from_millis(20);
/// The pause after an accept has failed because the system had no file, buffer or memory for a
/// connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Accepts until the task is aborted. At the connection limit it pauses, and the kernel's backlog holds
/// the connections that arrive meanwhile.
pub(crate) async fn accept(worker: Rc<Worker>, listener: TcpListener, facts: ListenerFacts) {
    let port = listener.local_addr().map_or(0, |address| address.port());
    let entry = Listener::new(facts, port);
    loop {
        while !worker.has_room() {
            tokio::time::sleep(FULL_PAUSE).await;
        }
        match listener.accept().await {
            Ok((socket, peer)) => {
                // A small answer must not wait for further bytes. If the socket is gone, its first read
                // shows it.
                let _ = socket.set_nodelay(true);
                let mut counted = ConnectionCount::new(&worker.parts.connections);
                // With the PROXY protocol the address is known only after the header, so it is claimed
                // then.
                if !entry.facts.proxy_protocol && !worker.claim(&mut counted, peer.ip()) {
                    continue;
                }
                let entry = Rc::clone(&entry);
                transport::serve(Rc::clone(&worker), entry, socket, peer, counted);
            }
            // The client gave up between its SYN and the accept.
            Err(why) if is_peers(&why) => {}
            Err(why) => {
                tracing::warn!(error = %why, worker = worker.parts.id, "accept failed, pausing");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

fn is_peers(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
