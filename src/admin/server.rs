//! Connections: accepted up to a limit, each with deadlines, all let finish at the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::tls::Entrance;

use super::caller::Peer;
use super::router::router;
use super::shared::{Options, Shared, stopped};

/// Open connections; more wait in the listener's queue. One request runs on each.
const CONNECTIONS_MAX: usize = 256;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// For a request's head, and for an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A client that takes nothing of what it asked for is cut after this.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests may go on once the API is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// After a failed accept (no descriptors left): a pause, not a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Why the API can't be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeFault {
    #[error(
        "[admin] bind = \"{0}\" is not loopback: it needs [admin] token and [admin] tls, or bind = \"127.0.0.1:{port}\"",
        port = .0.port()
    )]
    Unprotected(SocketAddr),
    #[error("the admin listener can't be used: {0}")]
    Listener(#[from] std::io::Error),
}

/// Serves the API on a bound listener until `shutdown` says true, then lets requests finish for up to
/// 10 s. Has to run on a tokio runtime.
pub async fn serve(
    listener: std::net::TcpListener,
    options: Options,
    shutdown: watch::Receiver<bool>,
) -> Result<(), ServeFault> {
    let local = listener.local_addr()?;
    if !local.ip().is_loopback() && (options.token.is_none() || options.tls.is_none()) {
        return Err(ServeFault::Unprotected(local));
    }
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let tls = options.tls.clone();
    let router = router(Shared::new(options, local, shutdown.clone()));

    let mut connections = JoinSet::new();
    let mut stop = shutdown.clone();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, acceptor(tls.as_deref()), router.clone(), shutdown.clone()));
                }
                Err(fault) => {
                    tracing::warn!(%fault, "the admin listener could not accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let drained = timeout(DRAIN_TIMEOUT, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(open = connections.len(), "admin connections were cut at the end");
        connections.shutdown().await;
    }
    Ok(())
}

/// By the certificates that are served now.
fn acceptor(tls: Option<&Entrance>) -> Option<TlsAcceptor> {
    tls.map(|tls| TlsAcceptor::from(Arc::new(tls.current().config.clone())))
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    shutdown: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(WRITE_TIMEOUT));
    match tls {
        None => http(stream, peer, router, shutdown).await,
        Some(acceptor) => match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, peer, router, shutdown).await,
            Ok(Err(fault)) => tracing::debug!(%peer, %fault, "an admin TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "an admin TLS handshake took too long"),
        },
    }
}

async fn http<Io: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    io: Io,
    peer: SocketAddr,
    router: Router,
    mut shutdown: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(io), service);
    let mut serving = std::pin::pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stopped(&mut shutdown) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(fault) = served {
        tracing::debug!(%peer, %fault, "an admin connection ended");
    }
}
