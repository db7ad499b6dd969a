//! The start of a connection, before it speaks HTTP: the PROXY header and the TLS handshake.
//!
//! One deadline (`detection_timeout`) runs from the accept to the first byte of a request. A connection
//! that fails on the way is closed without an HTTP answer.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::server::{Accepted, Acceptor};
use rustls::{Connection as Session, ServerConfig, ServerConnection};
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

use crate::http1::Peer;
use crate::proxy_protocol::{self, HEADER_BYTES_MAX, Header};
use crate::tls::{ACME_TLS_ALPN, Entrance};

use super::connection::Connection;
use super::entry::{Alpn, after_transport};
use super::listener::{Listener, TlsFacts};
use crate::data_plane::origin::secure::{Polled, Secure};
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::address::ConnectionCount;
use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::Worker;

/// Serves an accepted socket until it ends, in a task of its own.
pub(crate) fn serve(
    worker: Rc<Worker>,
    listener: Rc<Listener>,
    socket: TcpStream,
    address: SocketAddr,
    counted: ConnectionCount,
) {
    let handle = worker.handles.take();
    handle.arm(worker.ticks.after(worker.parts.limits.detection_timeout));
    if listener.facts.proxy_protocol || listener.facts.tls.is_some() {
        tokio::task::spawn_local(prepare(worker, listener, handle, socket, address, counted));
    } else {
        let begun = (Stream::Plain(socket), None, (address, listener.port));
        proceed(worker, listener, handle, begun, counted);
    }
}

/// Reads the PROXY header and makes the handshake, in a task of its own. So the connection that follows
/// holds nothing of their state.
async fn prepare(
    worker: Rc<Worker>,
    listener: Rc<Listener>,
    handle: ConnectionHandle,
    socket: TcpStream,
    address: SocketAddr,
    mut counted: ConnectionCount,
) {
    handle.settle().await;
    let Some(begun) = begin(&worker, &listener, &handle, socket, address).await else { return };
    let (_, _, (client, _)) = &begun;
    if !listener.facts.proxy_protocol || worker.claim(&mut counted, client.ip()) {
        proceed(worker, listener, handle, begun, counted);
    }
}

fn proceed(
    worker: Rc<Worker>,
    listener: Rc<Listener>,
    handle: ConnectionHandle,
    begun: Start,
    counted: ConnectionCount,
) {
    let (stream, secured, (address, port)) = begun;
    let peer = Peer::new(address.ip(), listener.scheme(), port, &worker.parts.trusted_proxies);
    let alpn = alpn(&stream);
    let connection = Connection {
        worker,
        handle,
        stream,
        listener,
        peer,
        secured,
        ahead: Vec::new(),
        ended: false,
        counted: Some(counted),
    };
    tokio::task::spawn_local(after_transport(connection, alpn));
}

fn alpn(stream: &Stream) -> Alpn {
    match stream {
        Stream::Plain(_) => Alpn::Plain,
        stream if stream.has_agreed_on_http2() => Alpn::Http2,
        Stream::Tls(_) | Stream::Client(_) | Stream::Origin(_) => Alpn::Http1,
    }
}

/// The client's address, and the port that it connected to.
type Ends = (SocketAddr, u16);

/// The stream, the facts of its handshake (`None` if it is plain), and its ends.
type Start = (Stream, Option<Rc<TlsFacts>>, Ends);

async fn begin(
    worker: &Worker,
    listener: &Listener,
    handle: &ConnectionHandle,
    socket: TcpStream,
    address: SocketAddr,
) -> Option<Start> {
    let mut ends = (address, listener.port);
    if listener.facts.proxy_protocol {
        let mut taken = Vec::new();
        match until_deadline(handle, |context| poll_header(&socket, &mut taken, context)).await? {
            Ok(Header::Proxied { source, destination }) => ends = (source, destination.port()),
            Ok(Header::Local) => {}
            Err(why) => {
                tracing::debug!(peer = %address, %why, "no PROXY header: closed");
                return None;
            }
        }
    }
    let Some(entrance) = &listener.facts.tls else { return Some((Stream::Plain(socket), None, ends)) };
    let shaken = if worker.parts.challenges.has_tls() {
        validate(worker, listener, handle, socket, entrance).await?
    } else {
        let served = listener.served(entrance);
        let session = ServerConnection::new(Arc::clone(&served.config)).ok()?;
        let mut secure = Secure::new(socket, session);
        until_deadline(handle, |context| secure.poll_handshake(context)).await?.map(|()| (secure, served))
    };
    match shaken {
        Ok((secure, served)) => {
            let sni = match &secure.session {
                Session::Server(session) => session.server_name().unwrap_or_default().into(),
                Session::Client(_) => Box::default(),
            };
            Some((Stream::Tls(secure), Some(Rc::new(TlsFacts { sni, served })), ends))
        }
        Err(why) => {
            tracing::debug!(peer = %ends.0, %why, "the TLS handshake failed");
            None
        }
    }
}

type Handshake = io::Result<(Box<Secure>, Rc<super::listener::TlsConfig>)>;

/// Makes a handshake while an ACME server may be validating a name (RFC 8737). A client that offers
/// that protocol alone gets its proof, and the connection closes. Any other handshake continues as
/// usual.
async fn validate(
    worker: &Worker,
    listener: &Listener,
    handle: &ConnectionHandle,
    mut socket: TcpStream,
    entrance: &Entrance,
) -> Option<Handshake> {
    let mut acceptor = Acceptor::default();
    let hello = until_deadline(handle, |context| poll_hello(&mut socket, &mut acceptor, context)).await?;
    let accepted = match hello {
        Ok(accepted) => accepted,
        Err(why) => return Some(Err(why)),
    };
    let proof = proof_for(worker, &accepted);
    let served = listener.served(entrance);
    let config = proof.as_ref().unwrap_or(&served.config);
    let session = match accepted.into_connection(Arc::clone(config)) {
        Ok(session) => session,
        Err((why, _)) => return Some(Err(io::Error::other(why))),
    };
    let mut secure = Secure::new(socket, session);
    let shaken = until_deadline(handle, |context| secure.poll_handshake(context)).await?;
    if proof.is_some() {
        let _ = until_deadline(handle, |context| secure.poll_finish(context)).await;
        return None;
    }
    Some(shaken.map(|()| (secure, served)))
}

fn proof_for(worker: &Worker, accepted: &Accepted) -> Option<Arc<ServerConfig>> {
    let hello = accepted.client_hello();
    let mut protocols = hello.alpn()?;
    let only = protocols.next() == Some(ACME_TLS_ALPN) && protocols.next().is_none();
    only.then(|| worker.parts.challenges.tls(hello.server_name()?)).flatten()
}

fn poll_hello(
    socket: &mut TcpStream,
    acceptor: &mut Acceptor,
    context: &mut Context<'_>,
) -> Poll<io::Result<Accepted>> {
    loop {
        match acceptor.accept() {
            Ok(Some(accepted)) => return Poll::Ready(Ok(accepted)),
            Ok(None) => {}
            Err((why, _)) => return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why))),
        }
        match acceptor.read_tls(&mut Polled { socket, context }) {
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(why) => return Poll::Ready(Err(why)),
        }
    }
}

/// Reads the PROXY header and not one byte more. It peeks at the bytes in the socket's queue first. It
/// moves them to `taken` once it is clear that they belong to the header.
fn poll_header(
    socket: &TcpStream,
    taken: &mut Vec<u8>,
    context: &mut Context<'_>,
) -> Poll<io::Result<Header>> {
    loop {
        let mut bytes = [0; HEADER_BYTES_MAX];
        let before = taken.len();
        bytes[..before].copy_from_slice(taken);
        let mut room = ReadBuf::new(&mut bytes[before..]);
        let seen = ready!(socket.poll_peek(context, &mut room))?;
        if seen == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let read = proxy_protocol::parse(&bytes[..before + seen])
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        let length = read.map_or(before + seen, |(_, length)| length);
        let count = socket.try_read(&mut bytes[before..length])?;
        if count != length - before {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        match read {
            Some((header, _)) => return Poll::Ready(Ok(header)),
            None => taken.extend_from_slice(&bytes[before..length]),
        }
    }
}

/// Polls until the result is ready. `None` if the deadline has passed, or the worker closes or cuts the
/// connection.
async fn until_deadline<T>(
    handle: &ConnectionHandle,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    poll_fn(|context| {
        if let Poll::Ready(output) = poll(context) {
            return Poll::Ready(Some(output));
        }
        let signals = handle.signals();
        let ends = signals.expired() || signals.cut() || signals.closing();
        if ends { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}
