//! Clients of HTTP/1.1 whose requests last longer than a switch.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use greenlight::cli::demo::client::{Answer, Connection, Failure, request};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use greenlight_testkit::house::HOST;

/// An upload is so many pieces of so many bytes, so far apart: half a second and more.
pub(crate) const UPLOAD_PIECES: usize = 25;
pub(crate) const PIECE_BYTES: usize = 4096;
pub(crate) const PIECE_GAP: Duration = Duration::from_millis(20);

/// Opens a WebSocket connection.
pub(crate) async fn chat(address: SocketAddr) -> WebSocketStream<TcpStream> {
    let socket = TcpStream::connect(address).await.unwrap();
    let (socket, answer) =
        tokio_tungstenite::client_async(format!("ws://{HOST}/chat"), socket).await.expect("an upgrade");
    assert_eq!(answer.status(), 101);
    socket
}

/// One round trip.
pub(crate) async fn round(socket: &mut WebSocketStream<TcpStream>, text: &str) -> Result<(), String> {
    socket.send(Message::text(text)).await.map_err(|why| why.to_string())?;
    match socket.next().await {
        Some(Ok(Message::Text(answer))) if answer.as_str() == text => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// A body that takes half a second to send.
pub(crate) async fn upload(address: SocketAddr) -> Result<Answer, Failure> {
    let length = UPLOAD_PIECES * PIECE_BYTES;
    let head = format!("POST /upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n");
    let mut socket = TcpStream::connect(address).await.map_err(Failure::Connect)?;
    socket.write_all(head.as_bytes()).await.map_err(Failure::Send)?;
    for _ in 0..UPLOAD_PIECES {
        socket.write_all(&[b'x'; PIECE_BYTES]).await.map_err(Failure::Send)?;
        tokio::time::sleep(PIECE_GAP).await;
    }
    Connection::of(socket).ask(b"").await
}

pub(crate) async fn download(address: SocketAddr, path: &str) -> Result<Answer, Failure> {
    Connection::open(address).await?.ask(&request("GET", path, HOST, None)).await
}

/// A stream of numbered events (SSE) that ends when nobody reads it any more.
#[derive(Debug)]
pub(crate) struct Events {
    lines: tokio::io::Lines<BufReader<TcpStream>>,
    seen: u64,
}

impl Events {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(&request("GET", "/events", HOST, None)).await.unwrap();
        Self { lines: BufReader::new(socket).lines(), seen: 0 }
    }

    /// The next event: the one behind the last, or what came in its place.
    pub(crate) async fn next(&mut self) -> Result<(), String> {
        loop {
            let line = self.lines.next_line().await.map_err(|why| why.to_string())?;
            let line = line.ok_or_else(|| format!("an end behind event {}", self.seen))?;
            // Heads, chunk lines and empty lines are between them.
            let Some(number) = line.strip_prefix("data: ") else { continue };
            if number != self.seen.to_string() {
                return Err(format!("{number} in place of {}", self.seen));
            }
            self.seen += 1;
            return Ok(());
        }
    }
}
