//! Services as they are now.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::control_plane::controller::{Rejection, ServiceView};

use super::path::PathOf;
use super::problem::Problem;
use super::shared::Shared;

/// Every service
#[utoipa::path(
    get, path = "/v1/services", tag = "services", operation_id = "services",
    responses((status = 200, description = "All services", body = [ServiceView])),
)]
pub(crate) async fn list(State(shared): State<Shared>) -> Json<Vec<Arc<ServiceView>>> {
    Json(shared.handle.views().services.clone())
}

/// One service
#[utoipa::path(
    get, path = "/v1/services/{service}", tag = "services", operation_id = "service",
    params(("service" = String, Path, description = "The service's name")),
    responses((status = 200, description = "The service", body = ServiceView)),
)]
pub(crate) async fn one(
    State(shared): State<Shared>,
    PathOf(name): PathOf<String>,
) -> Result<Json<Arc<ServiceView>>, Problem> {
    match shared.handle.views().service(&name) {
        Some(service) => Ok(Json(Arc::clone(service))),
        None => Err(Rejection::UnknownService(name).into()),
    }
}
