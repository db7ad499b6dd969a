//! Origins: raw TCP servers that record what reaches them and answer by a script.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::client::PATIENCE;
use crate::inbox::Inbox;

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
    /// Counts this origin's connections from 0.
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

    /// Answers the first request of each connection with these bytes, and closes.
    pub fn answering_once(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |link| {
            if link.head().is_some() {
                link.send(&bytes);
            }
        })
    }

    /// Says when a request is there, and answers when it is told to.
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

    /// Heads that came, in order.
    pub fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Link {
    /// The next request's head; `None` at the end of the connection.
    pub fn head(&mut self) -> Option<String> {
        let head = self.inbox.head(&mut self.socket)?;
        self.seen.lock().unwrap().push(head.clone());
        Some(head)
    }

    /// The next `count` bytes; `None` if the connection ends before.
    pub fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        self.inbox.take(&mut self.socket, count)
    }

    /// Everything up to and with `mark`; `None` if the connection ends before.
    pub fn take_until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        self.inbox.take_until(&mut self.socket, mark)
    }

    /// Whatever comes until the connection ends.
    pub fn rest(&mut self) -> Vec<u8> {
        self.inbox.rest(&mut self.socket)
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A front door that has gone away is for the test's client to notice.
        let _ = self.socket.write_all(bytes.as_ref());
    }

    /// Makes the end of the connection a reset.
    pub fn reset_at_end(&mut self) {
        socket2::SockRef::from(&self.socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
}

/// A length for content.
pub fn with_length(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
