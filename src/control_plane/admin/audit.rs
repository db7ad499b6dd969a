//! Who changed what, as the API lists it.

use axum::Json;
use axum::extract::State;

use crate::control_plane::controller::{AuditEntry, Rejection};
use crate::model::ServiceName;

use super::path::{Limit, PathOf};
use super::problem::Problem;
use super::shared::Shared;

/// A service's audit log, newest first
#[utoipa::path(
    get, path = "/v1/services/{service}/audit", tag = "services", operation_id = "audit",
    params(("service" = String, Path, description = "The service's name"), Limit),
    responses((status = 200, description = "Who did what, before and after", body = [AuditEntry])),
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    PathOf(name): PathOf<String>,
    limit: Limit,
) -> Result<Json<Vec<AuditEntry>>, Problem> {
    let lines = shared.store.audit_log(&ServiceName::new(name.as_str()), limit.limit as usize).await?;
    if lines.is_empty() && shared.handle.views().service(&name).is_none() {
        return Err(Rejection::UnknownService(name).into());
    }
    let entries = lines.iter().filter_map(|line| match serde_json::from_str(line) {
        Ok(entry) => Some(entry),
        Err(fault) => {
            tracing::error!(service = name, %fault, "an audit line is not readable: left out");
            None
        }
    });
    Ok(Json(entries.collect()))
}
