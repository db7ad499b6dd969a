//! Whether the process lives, whether it wants traffic, and its metrics.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus::TextEncoder;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{Kind, Problem};
use super::shared::Shared;

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// `ok`, `ready`, `stopped` or `not ready`.
    status: &'static str,
}

/// Whether the process lives
#[utoipa::path(
    get, path = "/healthz", tag = "process", operation_id = "healthz",
    responses(
        (status = 200, description = "It does", body = Status),
        (status = 503, description = "The controller has stopped", body = Status),
    ),
)]
pub(crate) async fn healthz(State(shared): State<Shared>) -> (StatusCode, Json<Status>) {
    if shared.handle.is_alive() {
        (StatusCode::OK, Json(Status { status: "ok" }))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(Status { status: "stopped" }))
    }
}

/// Whether this front door wants traffic: started, and not stopping
#[utoipa::path(
    get, path = "/readyz", tag = "process", operation_id = "readyz",
    responses(
        (status = 200, description = "It does", body = Status),
        (status = 503, description = "It starts, or it stops", body = Status),
    ),
)]
pub(crate) async fn readyz(State(shared): State<Shared>) -> (StatusCode, Json<Status>) {
    if shared.ready.load(Ordering::Acquire) {
        (StatusCode::OK, Json(Status { status: "ready" }))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(Status { status: "not ready" }))
    }
}

/// Metrics in Prometheus' text format
#[utoipa::path(
    get, path = "/metrics", tag = "process", operation_id = "metrics",
    responses((status = 200, description = "The metrics", content_type = "text/plain", body = String)),
)]
pub(crate) async fn metrics(State(shared): State<Shared>) -> Result<Response, Problem> {
    let text = TextEncoder::new().encode_to_string(&shared.registry.gather()).map_err(|fault| {
        tracing::error!(%fault, "the metrics could not be written");
        Problem::new(Kind::Unavailable, "the metrics could not be written")
    })?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
