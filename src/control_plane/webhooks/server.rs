//! The listeners of webhooks. They accept connections up to a limit, each with deadlines.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::Request;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::credential::Signing;
use super::intake::{Deliver, Intake, PAUSES};
use super::receive::{Caller, elsewhere, with_token, without_token};
use super::shared::{Shared, Shelf};
use super::watch::Watch;
use crate::control_plane::web::serve::{Limits, http, listen};
use crate::tasks;

const LIMITS: Limits = Limits {
    whose: "webhooks'",
    connections_max: 64,
    head_timeout: Duration::from_secs(10),
    head_bytes_max: 16 * 1024,
    drain_timeout: Duration::from_secs(2),
};

/// The parts that the listeners need.
pub struct Options {
    /// The socket of `[hooks] bind`, to which senders connect.
    pub own: Option<std::net::TcpListener>,
    /// The socket for `[hooks] public`, to which the front door connects. The front door names the client
    /// for which it speaks.
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

/// Serves until `shutdown` is true. Must run on a tokio runtime.
///
/// # Errors
/// A listener can't be used.
pub async fn serve(options: Options, shutdown: watch::Receiver<bool>) -> std::io::Result<()> {
    let Options { own, inner, book, watch, deliver } = options;
    let decoy = Signing::new(&format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..)));
    let shared = Arc::new(Shared { book, watch, intake: Intake::start(deliver, &PAUSES), decoy });
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
        let accepting = accept(listener, is_inner, router.clone(), shutdown.clone());
        listeners.spawn(tasks::named("webhook listener", accepting));
    }
    while listeners.join_next().await.is_some() {}
    Ok(())
}

async fn accept(listener: TcpListener, is_inner: bool, router: Router, shutdown: watch::Receiver<bool>) {
    let stop = shutdown.clone();
    listen(listener, &LIMITS, shutdown, |stream, peer| {
        connection(stream, peer, is_inner, router.clone(), stop.clone())
    })
    .await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    is_inner: bool,
    router: Router,
    shutdown: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let mark = move |request: &mut Request<Body>| {
        let told =
            request.headers().get("x-real-ip").and_then(|value| value.to_str().ok()?.parse::<IpAddr>().ok());
        let client = told.filter(|_| is_inner).unwrap_or(peer.ip());
        request.extensions_mut().insert(Caller(client));
    };
    http(stream, &LIMITS, router, mark, shutdown).await;
}
