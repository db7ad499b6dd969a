//! The floor of `benches/peers`: a plain tokio byte relay that does not read HTTP. Its cost is the lower
//! limit for the proxies.
//!
//! It has one thread, and one upstream connection for each client connection. It uses tokio's own
//! `copy_bidirectional` with buffers that hold the largest answer whole. (With 16 KiB the relay cost more
//! than greenlight.) A proxy on the same runtime that reads, decides and writes can come near this floor,
//! and can hardly be under it.
//!
//! `peer_relay LISTEN UPSTREAM` prints the address that it listens on.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

const BUFFER_BYTES: usize = 72 * 1024;

fn main() -> ExitCode {
    let addresses: Result<Vec<SocketAddr>, _> = std::env::args().skip(1).map(|text| text.parse()).collect();
    let Ok(&[listen, upstream]) = addresses.as_deref() else {
        eprintln!("usage: peer_relay LISTEN UPSTREAM");
        return ExitCode::from(2);
    };
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(relay(listen, upstream)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer_relay: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn relay(listen: SocketAddr, upstream: SocketAddr) -> std::io::Result<()> {
    let listener = bind(listen)?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(pass(stream, upstream));
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Binds with a backlog for every connection of a load at once, because a dropped SYN comes again only
/// after a second.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

/// Copies bytes in both directions until both sides have closed.
async fn pass(mut client: TcpStream, upstream: SocketAddr) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut origin = TcpStream::connect(upstream).await?;
    origin.set_nodelay(true)?;
    tokio::io::copy_bidirectional_with_sizes(&mut client, &mut origin, BUFFER_BYTES, BUFFER_BYTES).await?;
    Ok(())
}
