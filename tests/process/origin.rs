//! An upstream of the test's own, in its process: what the sample app does not speak.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A download is so many chunks of so many bytes, so far apart: half a second and more.
pub(crate) const CHUNKS: usize = 25;
pub(crate) const CHUNK_BYTES: usize = 4096;
const CHUNK_GAP: Duration = Duration::from_millis(20);

/// Serves until the runtime ends. `fails`: this share of its GETs ends without an answer, but not
/// probes.
pub(crate) async fn start(name: &'static str, fails: f64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).unwrap();
            tokio::spawn(serve(socket, name, fails));
        }
    });
    address
}

/// A connection to its end; what goes wrong is for the client to notice.
async fn serve(mut socket: TcpStream, name: &'static str, fails: f64) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let head = head(&mut socket, &mut buffer).await?;
        let is_probe = head.contains("greenlight-probe");
        if !is_probe && fastrand::f64() < fails {
            return None;
        }
        if let Some(key) = field(&head, "sec-websocket-key") {
            let accept = derive_accept_key(key.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: {accept}\r\nX-App: {name}\r\n\r\n"
            );
            socket.write_all(answer.as_bytes()).await.ok()?;
            echo(socket).await;
            return None;
        }
        if let Some(length) = field(&head, "content-length") {
            let mut left: usize = length.parse().ok()?;
            let whole = left;
            left -= buffer.len().min(left);
            buffer.clear();
            let mut bytes = [0; 4096];
            while left > 0 {
                left -= socket.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
            }
            answer(&mut socket, name, &whole.to_string()).await?;
        } else if head.starts_with("GET /download") {
            download(&mut socket, name, CHUNK_GAP).await?;
        } else if head.starts_with("GET /events") {
            events(&mut socket, name).await?;
        } else if head.starts_with("GET /stuck") {
            download(&mut socket, name, Duration::from_hours(1)).await?;
        } else {
            answer(&mut socket, name, "ok").await?;
        }
    }
}

async fn head(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(at) = buffer.windows(4).position(|end| end == b"\r\n\r\n") {
            let head: Vec<u8> = buffer.drain(..at + 4).collect();
            return String::from_utf8(head).ok();
        }
        socket.read_buf(buffer).await.ok().filter(|count| *count > 0)?;
    }
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

async fn answer(socket: &mut TcpStream, name: &str, text: &str) -> Option<()> {
    let length = text.len();
    let answer = format!("HTTP/1.1 200 OK\r\nX-App: {name}\r\nContent-Length: {length}\r\n\r\n{text}");
    socket.write_all(answer.as_bytes()).await.ok()
}

async fn download(socket: &mut TcpStream, name: &str, gap: Duration) -> Option<()> {
    let head = format!("HTTP/1.1 200 OK\r\nX-App: {name}\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write_all(head.as_bytes()).await.ok()?;
    let chunk = format!("{CHUNK_BYTES:x}\r\n{}\r\n", "x".repeat(CHUNK_BYTES));
    for _ in 0..CHUNKS {
        socket.write_all(chunk.as_bytes()).await.ok()?;
        tokio::time::sleep(gap).await;
    }
    socket.write_all(b"0\r\n\r\n").await.ok()
}

/// Numbered events until nobody takes them.
async fn events(socket: &mut TcpStream, name: &str) -> Option<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nX-App: {name}\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.ok()?;
    let mut number = 0_u64;
    loop {
        let event = format!("data: {number}\n\n");
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        socket.write_all(chunk.as_bytes()).await.ok()?;
        number += 1;
        tokio::time::sleep(CHUNK_GAP).await;
    }
}

async fn echo(socket: TcpStream) {
    let mut socket = WebSocketStream::from_raw_socket(socket, Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        if message.is_close() {
            // The library answers a Close by itself, when it is asked for more.
            continue;
        }
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
