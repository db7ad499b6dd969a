//! A listener of the control plane. It takes connections up to a limit, gives them deadlines, and
//! lets them finish at the end.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::tasks;

/// The pause after a failed accept (for example without free descriptors), so that the listener
/// does not loop at full speed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The limits of a listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The name of the listener, for the log: "admin", "webhooks'".
    pub whose: &'static str,
    /// The most open connections; more wait in the listener's queue. One request runs on each.
    pub connections_max: usize,
    /// The time for a request's head, and for an idle connection.
    pub head_timeout: Duration,
    /// The buffer for a request's head, in bytes.
    pub head_bytes_max: usize,
    /// How long requests may go on after the program began to stop.
    pub drain_timeout: Duration,
}

/// Waits until the program begins to stop. It also returns when the sender of that signal is gone.
pub async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // The guard that `wait_for` returns must not live across an await.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// Calls `serve` for each connection until `shutdown` is true. Then it lets the connections finish,
/// and cuts them after `drain_timeout`.
pub async fn listen<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    limits: &Limits,
    mut shutdown: watch::Receiver<bool>,
    serve: impl Fn(TcpStream, SocketAddr) -> F,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut shutdown) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < limits.connections_max => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(tasks::named("connection", serve(stream, peer)));
                }
                Err(fault) => {
                    tracing::warn!(%fault, "the {} listener could not accept", limits.whose);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let drained = timeout(limits.drain_timeout, async { while connections.join_next().await.is_some() {} });
    if drained.await.is_err() {
        tracing::warn!(
            open = connections.len(),
            "connections of the {} listener were cut at the end",
            limits.whose
        );
        connections.shutdown().await;
    }
}

/// Serves HTTP/1.1 on a connection until it ends. `mark` adds to each request the facts that are
/// known about its sender.
pub async fn http<Io: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    io: Io,
    limits: &Limits,
    router: Router,
    mark: impl Fn(&mut Request<Body>),
    mut shutdown: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        mark(&mut request);
        router.clone().oneshot(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max)
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
        tracing::debug!(%fault, "a connection of the {} listener ended", limits.whose);
    }
}
