//! The listeners of webhooks: connections up to a limit, each with deadlines.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::routing::any;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::ServiceExt;

use super::book::Book;
use super::credential::Signing;
use super::intake::{Deliver, Intake, PAUSES};
use super::receive::{Caller, elsewhere, with_token, without_token};
use super::watch::Watch;

/// Open connections of one listener; more wait in its queue.
const CONNECTIONS_MAX: usize = 64;
/// For a request's head, and for an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long messages may go on coming in once the program is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// After a failed accept (no descriptors left): a pause, not a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The webhooks in force; a reload puts another book there.
pub type Shelf = Arc<ArcSwap<Book>>;

/// What the listeners need.
pub struct Options {
    /// `[hooks] bind`: senders connect here.
    pub own: Option<std::net::TcpListener>,
    /// `[hooks] public`: the front door connects here, and says whom it speaks for.
    pub inner: Option<std::net::TcpListener>,
    pub book: Shelf,
    pub watch: Watch,
    pub deliver: Deliver,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("own", &self.own).field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// What every request has.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) book: Shelf,
    pub(super) watch: Watch,
    pub(super) intake: Intake,
    /// A key that signs nothing: for names that are no webhook's, so that they take as long.
    pub(super) nobody: Signing,
}

/// Serves until `shutdown` says true. Has to run on a tokio runtime.
///
/// # Errors
/// A listener can't be used.
pub async fn serve(options: Options, shutdown: watch::Receiver<bool>) -> std::io::Result<()> {
    let Options { own, inner, book, watch, deliver } = options;
    let nobody = Signing::new(&format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..)));
    let shared = Arc::new(Shared { book, watch, intake: Intake::start(deliver, &PAUSES), nobody });
    let router = Router::new()
        .route("/hooks/{name}", any(without_token))
        .route("/hooks/{name}/{token}", any(with_token))
        .fallback(elsewhere)
        .with_state(shared);
    let mut listeners = JoinSet::new();
    for (listener, is_inner) in
        own.map(|own| (own, false)).into_iter().chain(inner.map(|inner| (inner, true)))
    {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        listeners.spawn(listen(listener, is_inner, router.clone(), shutdown.clone()));
    }
    while listeners.join_next().await.is_some() {}
    Ok(())
}

async fn listen(listener: TcpListener, is_inner: bool, router: Router, shutdown: watch::Receiver<bool>) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut stop = shutdown.clone();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = async {
                let seat = Arc::clone(&seats).acquire_owned().await;
                (seat, listener.accept().await)
            } => accepted,
        };
        match accepted {
            (Ok(seat), Ok((stream, peer))) => {
                let (router, shutdown) = (router.clone(), shutdown.clone());
                connections.spawn(async move {
                    connection(stream, peer, is_inner, router, shutdown).await;
                    drop(seat);
                });
            }
            (_, Err(fault)) => {
                tracing::warn!(%fault, "the webhooks' listener could not accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            (Err(_), Ok(_)) => break,
        }
    }
    drop(listener);
    let _ = timeout(DRAIN_TIMEOUT, async { while connections.join_next().await.is_some() {} }).await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The other end is gone only when the process ends.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    is_inner: bool,
    router: Router,
    mut shutdown: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let mut request = request.map(Body::new);
        let told =
            request.headers().get("x-real-ip").and_then(|value| value.to_str().ok()?.parse::<IpAddr>().ok());
        let client = told.filter(|_| is_inner).unwrap_or(peer.ip());
        request.extensions_mut().insert(Caller(client));
        router.clone().oneshot(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stopped(&mut shutdown) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(fault) = served {
        tracing::debug!(%peer, %fault, "a webhook's connection ended");
    }
}
