//! The fast origin of `benches/peers`: what it costs must not hide what a proxy costs.
//!
//! One thread, one read and one write a batch of requests, two fixed answers made at start:
//! 64 KiB for a target that begins with `/64k`, 128 B for any other. It finds the end of a head and
//! looks at nothing else; requests have no bodies.
//!
//! `peer_origin ADDRESS...` prints the addresses that it listens on, one a line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinSet, LocalSet};

/// A head that is longer is nobody's here.
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

/// With room for every connection of a load at once: a dropped SYN comes again after a second.
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

/// Answers until the peer closes, or sends what is not a request.
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

/// The length of a whole head at the beginning of `bytes`.
fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
