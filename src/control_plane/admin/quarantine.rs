//! Versions that were reverted. They are not released again unless a person forces it.

use axum::Json;
use axum::extract::State;

use crate::control_plane::controller::{Command, QuarantineView, RefusalCode};

use super::body::{Nothing, Strict};
use super::caller::Caller;
use super::commands::{Answer, done, give};
use super::path::PathOf;
use super::problem::{Kind, Problem};
use super::shared::Shared;

/// Every version in quarantine
#[utoipa::path(
    get, path = "/v1/quarantine", tag = "quarantine", operation_id = "quarantine_list",
    responses((status = 200, description = "The versions, of all services", body = [QuarantineView])),
)]
pub(crate) async fn list(State(shared): State<Shared>) -> Json<Vec<QuarantineView>> {
    Json(shared.handle.views().quarantine.clone())
}

/// Take a version out of quarantine
#[utoipa::path(
    delete, path = "/v1/quarantine/{service}/{version}", tag = "quarantine",
    operation_id = "quarantine_remove",
    params(
        ("service" = String, Path, description = "The service's name"),
        ("version" = String, Path, description = "The version, percent-encoded"),
    ),
    responses((status = 200, description = "Done", body = Answer)),
)]
pub(crate) async fn remove(
    State(shared): State<Shared>,
    PathOf((service, version)): PathOf<(String, String)>,
    caller: Caller,
    _body: Strict<Nothing>,
) -> Result<Json<Answer>, Problem> {
    let views = shared.handle.views();
    let there = |view: &QuarantineView| view.service == service && view.version == version;
    if views.service(&service).is_some() && !views.quarantine.iter().any(there) {
        return Err(Problem::new(
            Kind::NotFound,
            format!("version {version} of {service} is not in quarantine: see GET /v1/quarantine"),
        )
        .with_code(RefusalCode::NotQuarantined));
    }
    give(&shared, &service, Command::Unquarantine { version }, caller).await.map(done)
}
