//! The ways a request reaches the front door: plain or inside TLS, whole or in pieces.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use greenlight::data_plane::ListenerFacts;
use rustls::{ClientConnection, StreamOwned};

use greenlight_testkit::certs::{Files, facts, list};
use greenlight_testkit::client::Client;
use greenlight_testkit::secure_client::Settings;

/// How the bytes of a request are handed to the network.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pieces {
    Whole,
    /// Two writes, the second begins at this byte.
    Cut(usize),
    /// Each byte by itself.
    Bytes,
}

/// A connection to the front door.
pub(super) trait Wire: Read + Write {
    /// Says that nothing more is sent, and goes on reading.
    fn half_close(&mut self);
}

impl Wire for TcpStream {
    fn half_close(&mut self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

impl Wire for StreamOwned<ClientConnection, TcpStream> {
    fn half_close(&mut self) {
        self.conn.send_close_notify();
        self.flush().unwrap();
    }
}

/// Sends a request in pieces. A front door that has refused the first piece and gone is no fault.
pub(super) fn send(wire: &mut dyn Wire, raw: &[u8], pieces: Pieces) {
    let cuts: Vec<&[u8]> = match pieces {
        Pieces::Whole => vec![raw],
        Pieces::Cut(at) => vec![&raw[..at], &raw[at..]],
        Pieces::Bytes => raw.chunks(1).collect(),
    };
    for piece in cuts {
        if wire.write_all(piece).and_then(|()| wire.flush()).is_err() {
            return;
        }
        std::thread::yield_now();
    }
}

/// Everything that comes until the front door closes; a reset after an answer counts as a close.
pub(super) fn read_to_close(wire: &mut dyn Wire) -> Vec<u8> {
    let mut all = Vec::new();
    let mut bytes = [0; 16 * 1024];
    loop {
        match wire.read(&mut bytes) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&bytes[..count]),
            Err(why) if matches!(why.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                return all;
            }
            Err(why) => panic!("not closed: {why} after {:?}", String::from_utf8_lossy(&all)),
        }
    }
}

/// The heads in a stream of answers, interim ones too, and the bodies by their Content-Length.
pub(super) fn answers(mut stream: &[u8]) -> Vec<(u16, String)> {
    let mut found = Vec::new();
    while !stream.is_empty() {
        let end = stream.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head") + 4;
        let head = String::from_utf8_lossy(&stream[..end]).into_owned();
        let status: u16 = head[9..12].parse().expect("a status");
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
        assert!(stream.len() >= end + length, "a cut body behind {head}");
        stream = &stream[end + length..];
        found.push((status, head));
    }
    found
}

/// A way to the front door.
pub(super) struct Way {
    open: Box<dyn Fn(SocketAddr) -> Box<dyn Wire> + Send + Sync>,
    /// What its listener is told.
    pub facts: Vec<ListenerFacts>,
    pub scheme: &'static str,
}

impl Way {
    pub(super) fn plain() -> Self {
        let open = |address| -> Box<dyn Wire> { Box::new(Client::connect(address).socket) };
        Self { open: Box::new(open), facts: Vec::new(), scheme: "http" }
    }

    /// Inside TLS. A piece is a record of its own; sessions are resumed.
    pub(super) fn secure() -> Self {
        let files = Files::new();
        files.issue("app", &["app.test"]);
        let live = files.live(&list(&["app"]));
        let settings = Settings::new(&files.authority);
        let open = move |address| -> Box<dyn Wire> { Box::new(settings.connect(address, "app.test").stream) };
        Self { open: Box::new(open), facts: vec![facts(&live)], scheme: "https" }
    }

    pub(super) fn open(&self, address: SocketAddr) -> Box<dyn Wire> {
        (self.open)(address)
    }
}
