//! Accepting: one task a listener.

use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;

use super::listener::{Listener, ListenerFacts};
use super::transport;
use crate::data_plane::worker::address::Entered;
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
                let mut counted = Counted::new(&worker.parts.connections);
                // With a PROXY header the address is known only behind it: claimed then.
                if !entry.facts.proxy_protocol && !counted.claim(&worker, peer.ip()) {
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

/// One client connection in the number that all workers share.
#[derive(Debug)]
pub(crate) struct Counted {
    connections: Arc<AtomicUsize>,
    /// Its place among those of its address.
    /// (Boxed: off in most houses, and every waiting connection would hold it.)
    entered: Option<Box<Entered>>,
}

impl Counted {
    fn new(connections: &Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self { connections: Arc::clone(connections), entered: None }
    }

    /// Takes one of the connections that the client's address may have. False: it has them all, and
    /// this one is to be closed. Trusted proxies speak for many, so theirs are not counted. (With
    /// PROXY protocol the address is known only after its header: claimed then.) An IPv4 address that
    /// a dual-stack listener has mapped into IPv6 is taken as what it is.
    pub(crate) fn claim(&mut self, worker: &Worker, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let parts = &worker.parts;
        if parts.trusted_proxies.iter().any(|network| network.contains(&address)) {
            return true;
        }
        let Ok(entered) = parts.addresses.enter(address) else {
            parts.metrics.refused.inc();
            return false;
        };
        self.entered = entered.map(Box::new);
        true
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
