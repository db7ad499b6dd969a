//! An origin that speaks TLS.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::{HandshakeKind, ServerConnection, StreamOwned};

use greenlight_testkit::certs::Issued;
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::inbox::Inbox;

/// How it was shaken, and the name that was asked for.
pub(super) type Shaken = (HandshakeKind, Option<String>);

#[derive(Debug)]
pub(super) struct SecureOrigin {
    pub address: SocketAddr,
    handshakes: Arc<Mutex<Vec<Shaken>>>,
    connections: Arc<AtomicUsize>,
}

/// One connection of it.
pub(super) struct Link {
    pub stream: StreamOwned<ServerConnection, TcpStream>,
    inbox: Inbox,
}

impl SecureOrigin {
    pub(super) fn start(issued: &Issued, script: impl Fn(&mut Link) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(issued.served());
        let handshakes = Arc::<Mutex<Vec<_>>>::default();
        let connections = Arc::<AtomicUsize>::default();
        let script = Arc::new(script);
        let (noted, count) = (Arc::clone(&handshakes), Arc::clone(&connections));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(mut socket) = socket else { return };
                count.fetch_add(1, Ordering::SeqCst);
                socket.set_read_timeout(Some(PATIENCE)).unwrap();
                socket.set_nodelay(true).unwrap();
                let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
                let (script, noted) = (Arc::clone(&script), Arc::clone(&noted));
                std::thread::spawn(move || {
                    while session.is_handshaking() {
                        if session.complete_io(&mut socket).is_err() {
                            return;
                        }
                    }
                    let shaken =
                        (session.handshake_kind().unwrap(), session.server_name().map(str::to_owned));
                    noted.lock().unwrap().push(shaken);
                    script(&mut Link { stream: StreamOwned::new(session, socket), inbox: Inbox::default() });
                });
            }
        });
        Self { address, handshakes, connections }
    }

    /// Answers every request without a body with these bytes.
    pub(super) fn answering(issued: &Issued, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(issued, move |link| {
            while link.head().is_some() {
                link.send(&bytes);
            }
        })
    }

    pub(super) fn handshakes(&self) -> Vec<Shaken> {
        self.handshakes.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Link {
    pub(super) fn head(&mut self) -> Option<String> {
        self.inbox.head(&mut self.stream)
    }

    pub(super) fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        self.inbox.take(&mut self.stream, count)
    }

    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
        let _ = self.stream.flush();
    }

    /// Says that nothing more comes, as TLS does.
    pub(super) fn finish(&mut self) {
        self.stream.conn.send_close_notify();
        let _ = self.stream.flush();
    }
}
