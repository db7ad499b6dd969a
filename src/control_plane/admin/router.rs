//! Which handler serves which path, and the layers in front of all handlers.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::BODY_BYTES_MAX;
use super::problem::{Kind, Problem, method_not_allowed, not_found};
use super::shared::Shared;
use super::{
    audit, commands, events, explain, guard, idempotency, openapi, pin, quarantine, releases, reload,
    services, status,
};

/// How long an answer may take, including the time to read the request's body. A promote takes up to 10 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The router of the whole API.
pub(crate) fn router(shared: Shared) -> Router {
    let guarded = OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(services::list))
        .routes(routes!(services::one))
        .routes(routes!(commands::deploy))
        .routes(routes!(commands::promote))
        .routes(routes!(commands::abort))
        .routes(routes!(commands::rollback))
        .routes(routes!(commands::pause))
        .routes(routes!(commands::resume))
        .routes(routes!(commands::forget))
        .routes(routes!(pin::pin, pin::unpin))
        .routes(routes!(releases::history))
        .routes(routes!(audit::list))
        .routes(routes!(releases::one))
        .routes(routes!(events::stream))
        .routes(routes!(explain::explain))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::remove))
        .routes(routes!(reload::reload))
        .routes(routes!(status::metrics));
    let open = OpenApiRouter::new().routes(routes!(status::healthz)).routes(routes!(status::readyz));

    let (guarded, mut doc) = guarded.split_for_parts();
    let (open, open_doc) = open.split_for_parts();
    doc.merge(open_doc);
    openapi::finish(&mut doc, shared.token.is_some());

    let document: Arc<str> = doc.to_pretty_json().unwrap_or_default().into();
    let guarded = guarded
        .route("/openapi.json", get(move || ready(openapi::response(&document))))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(shared.clone(), idempotency::once))
        .layer(from_fn_with_state(shared.clone(), guard::guard));
    let open = open.method_not_allowed_fallback(method_not_allowed);
    open.merge(guarded)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(in_time))
        .layer(from_fn(common_headers))
        .with_state(shared)
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(ANSWER_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            Kind::Unavailable,
            format!(
                "no answer within {} s; it may still be carried out: look at `greenlight status`",
                ANSWER_TIMEOUT.as_secs()
            ),
        )
        .into_response(),
    }
}

async fn common_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
