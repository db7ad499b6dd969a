//! Changes to a service. A body becomes a command, and the answer of the controller becomes a status.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::control_plane::controller::{Command, Done};

use super::body::{Nothing, Strict};
use super::caller::Caller;
use super::fields;
use super::path::PathOf;
use super::problem::Problem;
use super::shared::Shared;

/// The answer to a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The release that it started or concerned.
    pub id: Option<String>,
    /// Nothing had to be done.
    pub noop: bool,
    /// What happened, what comes next, how to undo it.
    pub message: String,
}

/// `POST /v1/services/{service}/releases`
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeployBody {
    /// The image to release, where greenlight runs the containers.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000-\u001f\u007f]+$")]
    image: Option<String>,
    /// A label for the version; a fresh one when it is left out.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000-\u001f\u007f]+$")]
    version: Option<String>,
    /// Overrides quarantine, a pin and "the same version".
    #[schema(default = false)]
    force: bool,
    /// Switch when the gate opens, or wait for `promote`; default: the configuration's.
    auto_promote: Option<bool>,
}

/// `POST /v1/services/{service}/promote`
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PromoteBody {
    /// Promotes although the service is pinned (lifts the pin).
    #[schema(default = false)]
    force: bool,
}

/// `POST /v1/services/{service}/rollback`
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RollbackBody {
    /// The release whose version is wanted back; default: the one before.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000-\u001f\u007f]+$")]
    to: Option<String>,
    /// Puts the version that is rolled back into quarantine.
    #[schema(default = false)]
    quarantine: bool,
    /// Rolls back although the service is pinned (lifts the pin).
    #[schema(default = false)]
    force: bool,
}

/// Gives a command to the controller loop and waits for its answer.
pub(crate) async fn give(
    shared: &Shared,
    service: &str,
    command: Command,
    caller: Caller,
) -> Result<Done, Problem> {
    Ok(shared.handle.command(service, command, caller.precondition, caller.actor).await?)
}

/// 202 with the release's address if work goes on after the answer, else 200.
fn answer(done: Done) -> Response {
    let location = done
        .release
        .as_deref()
        .filter(|_| done.accepted)
        .and_then(|id| HeaderValue::try_from(format!("/v1/releases/{id}")).ok());
    let status = if done.accepted { StatusCode::ACCEPTED } else { StatusCode::OK };
    let body = Answer { id: done.release, noop: done.noop, message: done.message };
    let mut response = (status, Json(body)).into_response();
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Release a version on the other color
///
/// It is probed until it has been healthy for long enough, gets all traffic in one switch, and
/// loses it again by itself if it turns bad.
#[utoipa::path(
    post, path = "/v1/services/{service}/releases", tag = "releases", operation_id = "deploy",
    params(("service" = String, Path, description = "The service's name")),
    request_body = DeployBody,
    responses(
        (status = 202, description = "The release is on its way", body = Answer,
         headers(("location" = String, description = "The release"))),
        (status = 200, description = "Nothing to do: this version is active already", body = Answer),
    ),
)]
pub(crate) async fn deploy(
    State(shared): State<Shared>,
    PathOf(service): PathOf<String>,
    caller: Caller,
    Strict(body): Strict<DeployBody>,
) -> Result<Response, Problem> {
    let command = Command::Deploy {
        image: fields::text("image", body.image)?,
        version: fields::text("version", body.version)?,
        force: body.force,
        auto_promote: body.auto_promote,
    };
    give(&shared, &service, command, caller).await.map(answer)
}

/// Give the candidate all traffic, or call a degraded release succeeded
///
/// Answers once every worker has acknowledged the switch.
#[utoipa::path(
    post, path = "/v1/services/{service}/promote", tag = "releases", operation_id = "promote",
    params(("service" = String, Path, description = "The service's name")),
    request_body = PromoteBody,
    responses(
        (status = 200, description = "Done", body = Answer),
        (status = 202, description = "Under way", body = Answer,
         headers(("location" = String, description = "The release"))),
    ),
)]
pub(crate) async fn promote(
    State(shared): State<Shared>,
    PathOf(service): PathOf<String>,
    caller: Caller,
    Strict(body): Strict<PromoteBody>,
) -> Result<Response, Problem> {
    give(&shared, &service, Command::Promote { force: body.force }, caller).await.map(answer)
}

/// End a release that has not switched yet
#[utoipa::path(
    post, path = "/v1/services/{service}/abort", tag = "releases", operation_id = "abort",
    params(("service" = String, Path, description = "The service's name")),
    request_body = Nothing,
    responses(
        (status = 200, description = "Done", body = Answer),
        (status = 202, description = "Under way", body = Answer,
         headers(("location" = String, description = "The release"))),
    ),
)]
pub(crate) async fn abort(
    State(shared): State<Shared>,
    PathOf(service): PathOf<String>,
    caller: Caller,
    _body: Strict<Nothing>,
) -> Result<Response, Problem> {
    give(&shared, &service, Command::Abort, caller).await.map(answer)
}

/// Go back to the version before, or to a kept release
///
/// During a bake it answers 200 once every worker sends to the old color; after success it is a
/// new release of kind `rollback` (202).
#[utoipa::path(
    post, path = "/v1/services/{service}/rollback", tag = "releases", operation_id = "rollback",
    params(("service" = String, Path, description = "The service's name")),
    request_body = RollbackBody,
    responses(
        (status = 200, description = "Done: the old color has the traffic", body = Answer),
        (status = 202, description = "A release of kind rollback is on its way", body = Answer,
         headers(("location" = String, description = "The release"))),
    ),
)]
pub(crate) async fn rollback(
    State(shared): State<Shared>,
    PathOf(service): PathOf<String>,
    caller: Caller,
    Strict(body): Strict<RollbackBody>,
) -> Result<Response, Problem> {
    let command = Command::Rollback {
        to: fields::text("to", body.to)?,
        quarantine: body.quarantine,
        force: body.force,
    };
    give(&shared, &service, command, caller).await.map(answer)
}

/// Hold the service's client requests
///
/// Each waits at most `pause_timeout`, then gets 503. Releases go on.
#[utoipa::path(
    post, path = "/v1/services/{service}/pause", tag = "services", operation_id = "pause",
    params(("service" = String, Path, description = "The service's name")),
    request_body = Nothing,
    responses((status = 200, description = "Done", body = Answer)),
)]
pub(crate) async fn pause(
    State(shared): State<Shared>,
    PathOf(service): PathOf<String>,
    caller: Caller,
    _body: Strict<Nothing>,
) -> Result<Json<Answer>, Problem> {
    give(&shared, &service, Command::Pause, caller).await.map(done)
}

/// Let the held requests go
#[utoipa::path(
    post, path = "/v1/services/{service}/resume", tag = "services", operation_id = "resume",
    params(("service" = String, Path, description = "The service's name")),
    request_body = Nothing,
    responses((status = 200, description = "Done", body = Answer)),
)]
pub(crate) async fn resume(
    State(shared): State<Shared>,
    PathOf(service): PathOf<String>,
    caller: Caller,
    _body: Strict<Nothing>,
) -> Result<Json<Answer>, Problem> {
    give(&shared, &service, Command::Resume, caller).await.map(done)
}

/// Clear the judge's memory of the service
///
/// The memory says how the service usually is. The judge learns again from now on.
#[utoipa::path(
    post, path = "/v1/services/{service}/judge/forget", tag = "services", operation_id = "forget",
    params(("service" = String, Path, description = "The service's name")),
    request_body = Nothing,
    responses((status = 200, description = "Done", body = Answer)),
)]
pub(crate) async fn forget(
    State(shared): State<Shared>,
    PathOf(service): PathOf<String>,
    caller: Caller,
    _body: Strict<Nothing>,
) -> Result<Json<Answer>, Problem> {
    give(&shared, &service, Command::Forget, caller).await.map(done)
}

/// The answer to a change that is complete when it is answered.
pub(crate) fn done(done: Done) -> Json<Answer> {
    Json(Answer { id: done.release, noop: done.noop, message: done.message })
}
