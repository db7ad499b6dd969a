//! Releases, from the records in the store. A release that runs is shown as the controller loop has it now.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;

use crate::control_plane::controller::{Rejection, ReleaseView};
use crate::control_plane::store::StoredRelease;
use crate::model::{ReleaseId, ServiceName};

use super::path::{Limit, PathOf};
use super::problem::{Kind, Problem};
use super::shared::Shared;

/// One release
#[utoipa::path(
    get, path = "/v1/releases/{id}", tag = "releases", operation_id = "release",
    params(("id" = String, Path, description = "The release's id, `<service>-<number>`")),
    responses((status = 200, description = "The release", body = ReleaseView)),
)]
pub(crate) async fn one(
    State(shared): State<Shared>,
    PathOf(id): PathOf<String>,
) -> Result<Json<ReleaseView>, Problem> {
    find(&shared, &id).await.map(Json)
}

/// A service's releases, newest first
#[utoipa::path(
    get, path = "/v1/services/{service}/history", tag = "releases", operation_id = "history",
    params(("service" = String, Path, description = "The service's name"), Limit),
    responses((status = 200, description = "Its releases, newest first", body = [ReleaseView])),
)]
pub(crate) async fn history(
    State(shared): State<Shared>,
    PathOf(name): PathOf<String>,
    limit: Limit,
) -> Result<Json<Vec<ReleaseView>>, Problem> {
    let service = ServiceName::new(name.as_str());
    let stored = shared.store.history(&service, limit.limit as usize).await?;
    let views = shared.handle.views();
    let view = views.service(&name);
    if view.is_none() && stored.is_empty() {
        return Err(Rejection::UnknownService(name).into());
    }
    let mut live: BTreeMap<&str, &ReleaseView> = view
        .iter()
        .flat_map(|service| service.release.iter().chain(&service.queued))
        .map(|release| (release.id.as_str(), release))
        .collect();
    let mut releases = Vec::with_capacity(stored.len());
    for record in &stored {
        releases.push(match live.remove(record.id.as_str()) {
            Some(release) => release.clone(),
            None => parse(record)?,
        });
    }
    Ok(Json(releases))
}

/// The controller loop's view of a release. If there is none, it is the store's record of the release.
pub(crate) async fn find(shared: &Shared, id: &str) -> Result<ReleaseView, Problem> {
    if let Some(release) = shared.live_release(id) {
        return Ok(release);
    }
    match shared.store.release(&ReleaseId::new(id)).await? {
        Some(record) => parse(&record),
        None => Err(Rejection::UnknownRelease(id.to_owned()).into()),
    }
}

fn parse(record: &StoredRelease) -> Result<ReleaseView, Problem> {
    serde_json::from_str(&record.json).map_err(|fault| {
        tracing::error!(release = %record.id, %fault, "a stored release record is not readable");
        Problem::new(Kind::Unavailable, format!("the stored record of {} is not readable", record.id))
    })
}
