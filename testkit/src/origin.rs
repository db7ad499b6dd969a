//! Origins. They are raw TCP servers that record the requests and answer by a script.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::client::PATIENCE;
use crate::inbox::Inbox;

/// A raw TCP server on a loopback port.
#[derive(Debug)]
pub struct Origin {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

/// One connection of an origin.
#[derive(Debug)]
pub struct Link {
    pub socket: TcpStream,
    /// The number of this connection at its origin, from 0.
    pub number: usize,
    inbox: Inbox,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    /// Serves each connection with `script`, on a thread of its own.
    pub fn start(script: impl Fn(&mut Link) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let script = Arc::new(script);
        let (record, count) = (Arc::clone(&seen), Arc::clone(&connections));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(socket) = socket else { return };
                socket.set_read_timeout(Some(PATIENCE)).unwrap();
                socket.set_nodelay(true).unwrap();
                let number = count.fetch_add(1, Ordering::SeqCst);
                let mut link = Link { socket, number, inbox: Inbox::default(), seen: Arc::clone(&record) };
                let script = Arc::clone(&script);
                std::thread::spawn(move || script(&mut link));
            }
        });
        Self { address, seen, connections }
    }

    /// Answers every request with 200 and this text, for as long as the connection lives.
    pub fn naming(text: &'static str) -> Self {
        Self::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()))
    }

    /// Answers every request without a body with these bytes.
    pub fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |link| {
            while link.head().is_some() {
                link.send(&bytes);
            }
        })
    }

    /// Answers the first request of each connection with these bytes, and closes the connection.
    pub fn answering_once(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |link| {
            if link.head().is_some() {
                link.send(&bytes);
            }
        })
    }

    /// An origin that reports each request on the receiver, and answers it when the sender gets a value.
    pub fn held() -> (Self, mpsc::Receiver<()>, mpsc::SyncSender<()>) {
        let (arrived, arrivals) = mpsc::sync_channel(64);
        let (go, gone) = mpsc::sync_channel(64);
        let gone = Mutex::new(gone);
        let origin = Self::start(move |link| {
            while link.head().is_some() {
                arrived.send(()).unwrap();
                if gone.lock().unwrap().recv().is_err() {
                    return;
                }
                link.send(with_length("HTTP/1.1 200 OK", b"held"));
            }
        });
        (origin, arrivals, go)
    }

    /// The heads of all requests, in the order in which they came.
    pub fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Link {
    /// Reads the head of the next request. `None` if the connection has ended.
    pub fn head(&mut self) -> Option<String> {
        let head = self.inbox.head(&mut self.socket)?;
        self.seen.lock().unwrap().push(head.clone());
        Some(head)
    }

    /// Reads the next `count` bytes. `None` if the connection ends before.
    pub fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        self.inbox.take(&mut self.socket, count)
    }

    /// Reads up to the end of the next `mark`. `None` if the connection ends before.
    pub fn take_until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        self.inbox.take_until(&mut self.socket, mark)
    }

    /// Reads until the connection ends.
    pub fn rest(&mut self) -> Vec<u8> {
        self.inbox.rest(&mut self.socket)
    }

    /// Sends these bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // If the door has closed the connection, the test's client notices that.
        let _ = self.socket.write_all(bytes.as_ref());
    }

    /// Makes the connection end with a reset and not with a FIN.
    pub fn reset_at_end(&mut self) {
        socket2::SockRef::from(&self.socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
}

/// The bytes of a response with this head and body. A Content-Length is added to the head.
pub fn with_length(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
