//! The connections of the API. They are accepted up to a limit, each has deadlines, and all may finish at
//! the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::control_plane::web::serve::{Limits, http, listen};
use crate::tls::Entrance;

use super::caller::Peer;
use super::router::router;
use super::shared::{Options, Shared};

// Connections that send nothing take the places of commands, so they are closed soon.
const LIMITS: Limits = Limits {
    whose: "admin",
    connections_max: 256,
    head_timeout: Duration::from_secs(2),
    head_bytes_max: 32 * 1024,
    drain_timeout: Duration::from_secs(10),
};
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);
/// A client that takes nothing of its answer for this long is cut.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

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

/// Serves the API on a bound listener until `shutdown` is true. Then it lets requests finish for up to 10
/// s. Must run on a tokio runtime.
///
/// # Errors
/// The bind is not loopback and the token or TLS is missing, or the listener can't be used.
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

    let stop = shutdown.clone();
    listen(listener, &LIMITS, shutdown, |stream, peer| {
        connection(stream, peer, acceptor(tls.as_deref()), router.clone(), stop.clone())
    })
    .await;
    Ok(())
}

/// The acceptor for the certificates that are served now.
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
    let mark = move |request: &mut Request<Body>| {
        request.extensions_mut().insert(Peer(peer));
    };
    match tls {
        None => http(stream, &LIMITS, router, mark, shutdown).await,
        Some(acceptor) => match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, &LIMITS, router, mark, shutdown).await,
            Ok(Err(fault)) => tracing::debug!(%peer, %fault, "an admin TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "an admin TLS handshake took too long"),
        },
    }
}
