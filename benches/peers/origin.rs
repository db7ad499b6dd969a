//! The fast origin of `benches/peers`. Its own cost must not hide the cost of a proxy.
//!
//! It has one thread, and does one read and one write for each batch of requests. At its start it makes
//! two fixed answers: 64 KiB for a target that begins with `/64k`, and 128 B for any other target. It
//! finds the end of a head and looks at nothing else. Requests have no bodies.
//!
//! `peer_origin ADDRESS...` prints the addresses that it listens on, one on each line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinSet, LocalSet};

/// The longest head, in bytes. No client of this bench sends a longer one.
const HEAD_BYTES_MAX: usize = 16 * 1024;

struct Answers {
    small: Vec<u8>,
    large: Vec<u8>,
}

fn answer(body_bytes: usize) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\nContent-Length: {body_bytes}\r\n\r\n"
    )
    .into_bytes();
    bytes.resize(bytes.len() + body_bytes, b'x');
    bytes
}

fn main() -> ExitCode {
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| LocalSet::new().block_on(&runtime, listen(std::env::args().skip(1))));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer_origin: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn listen(addresses: impl Iterator<Item = String>) -> std::io::Result<()> {
    let answers = Rc::new(Answers { small: answer(128), large: answer(64 * 1024) });
    let mut accepting = JoinSet::new();
    for address in addresses {
        let address: SocketAddr =
            address.parse().map_err(|error| std::io::Error::other(format!("{address}: {error}")))?;
        let listener = bind(address)?;
        println!("{}", listener.local_addr()?);
        accepting.spawn_local(accept(listener, Rc::clone(&answers)));
    }
    std::io::stdout().flush()?;
    while let Some(ended) = accepting.join_next().await {
        ended.map_err(std::io::Error::other)??;
    }
    Ok(())
}

/// Binds with a backlog for every connection of a load at once, because a dropped SYN comes again only
/// after a second.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

async fn accept(listener: TcpListener, answers: Rc<Answers>) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                connections.spawn_local(serve(stream, Rc::clone(&answers)));
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Answers requests until the peer closes the connection, or sends a head that is too long.
async fn serve(mut stream: TcpStream, answers: Rc<Answers>) {
    let mut buffer = Vec::with_capacity(4096);
    let mut out: Vec<u8> = Vec::new();
    while buffer.len() < HEAD_BYTES_MAX {
        match stream.read_buf(&mut buffer).await {
            Ok(1..) => {}
            _ => return,
        }
        let mut taken = 0;
        while let Some(length) = head_length(&buffer[taken..]) {
            let is_large = buffer[taken..].starts_with(b"GET /64k");
            out.extend_from_slice(if is_large { &answers.large } else { &answers.small });
            taken += length;
        }
        buffer.drain(..taken);
        if !out.is_empty() {
            if stream.write_all(&out).await.is_err() {
                return;
            }
            out.clear();
        }
    }
}

/// The length in bytes of a whole head at the beginning of `bytes`.
fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
