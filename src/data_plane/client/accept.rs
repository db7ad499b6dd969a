//! Accepting: one task a listener.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::listener::{Listener, ListenerFacts};
use super::transport;
use crate::data_plane::worker::address::ConnectionCount;
use crate::data_plane::worker::state::Worker;

/// How often a full house looks whether there is room again.
const FULL_PAUSE: Duration = Duration::from_millis(20);
/// The pause after the system had no file, buffer or memory for a connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Accepts until the task is aborted. At the connection limit it pauses: the kernel's backlog
/// holds what comes meanwhile.
pub(crate) async fn accept(worker: Rc<Worker>, listener: TcpListener, facts: ListenerFacts) {
    let port = listener.local_addr().map_or(0, |address| address.port());
    let entry = Listener::new(facts, port);
    loop {
        while !worker.has_room() {
            tokio::time::sleep(FULL_PAUSE).await;
        }
        match listener.accept().await {
            Ok((socket, peer)) => {
                // Small answers must not wait for more of them; a socket that is gone shows later.
                let _ = socket.set_nodelay(true);
                let mut counted = ConnectionCount::new(&worker.parts.connections);
                // With a PROXY header the address is known only behind it: claimed then.
                if !entry.facts.proxy_protocol && !worker.claim(&mut counted, peer.ip()) {
                    continue;
                }
                let entry = Rc::clone(&entry);
                transport::serve(Rc::clone(&worker), entry, socket, peer, counted);
            }
            // The peer gave up between SYN and accept.
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
