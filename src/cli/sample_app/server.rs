//! The HTTP server of the sample app.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Json, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use futures_util::StreamExt as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::behavior::{Behavior, Change, Report};

/// The beginning of the `User-Agent` of greenlight's probes.
const PROBE_AGENT: &str = "greenlight-probe";

/// Serves until the sender of `stopped` is dropped, and then finishes the requests in flight. Fails when the
/// listener does.
pub(super) async fn serve(
    listener: TcpListener,
    behavior: Arc<Behavior>,
    stopped: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let router =
        Router::new().route("/__app", get(report).post(change)).fallback(answer).with_state(behavior);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            let _ = stopped.await;
        })
        .await
}

async fn report(State(behavior): State<Arc<Behavior>>) -> Json<Report> {
    Json(behavior.report())
}

async fn change(State(behavior): State<Arc<Behavior>>, Json(change): Json<Change>) -> Response {
    match behavior.change(&change) {
        Ok(()) => Json(behavior.report()).into_response(),
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
    }
}

/// Answers a probe or a client request as the behavior plans it. A request for `/` is a probe only by its
/// `User-Agent`, because clients ask for that path too.
async fn answer(State(behavior): State<Arc<Behavior>>, request: Request) -> Response {
    let is_probe = request
        .headers()
        .get(header::USER_AGENT)
        .is_some_and(|agent| agent.as_bytes().starts_with(PROBE_AGENT.as_bytes()));
    let has_own_health_path = behavior.health_path != "/";
    let plan = if is_probe || (has_own_health_path && request.uri().path() == behavior.health_path) {
        behavior.probe()
    } else {
        behavior.request()
    };
    discard(request.into_body()).await;
    if !plan.latency.is_zero() {
        tokio::time::sleep(plan.latency).await;
    }
    let text = format!("{} {} answers {}\n", behavior.name, behavior.version, plan.status);
    let mut response = (StatusCode::from_u16(plan.status).unwrap_or(StatusCode::OK), text).into_response();
    for (name, value) in [("x-app", &behavior.name), ("x-version", &behavior.version)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Reads a body to its end, so that the connection can be used for another request.
async fn discard(body: Body) {
    let mut chunks = body.into_data_stream();
    while let Some(Ok(_)) = chunks.next().await {}
}
