//! Pins, by which a person fixes the active color.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::control_plane::controller::Command;

use super::body::{Nothing, Strict};
use super::caller::Caller;
use super::commands::{Answer, done, give};
use super::fields;
use super::path::PathOf;
use super::problem::Problem;
use super::shared::Shared;

/// `PUT /v1/services/{service}/pin`
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PinBody {
    /// Why, for the people who find it.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000-\u001f\u007f]+$")]
    reason: Option<String>,
    /// How long; without it, until it is lifted.
    #[schema(
        min_length = 1,
        max_length = 64,
        example = "30m",
        pattern = "^([1-9][0-9]{0,2}d)?([1-9][0-9]{0,3}h)?([1-9][0-9]{0,5}m)?([1-9][0-9]{0,7}s)?([1-9][0-9]{0,8}ms)?$"
    )]
    r#for: Option<String>,
}

/// Fix the active color: nothing moves by itself, not even a revert
#[utoipa::path(
    put, path = "/v1/services/{service}/pin", tag = "services", operation_id = "pin",
    params(("service" = String, Path, description = "The service's name")),
    request_body = PinBody,
    responses((status = 200, description = "Done", body = Answer)),
)]
pub(crate) async fn pin(
    State(shared): State<Shared>,
    PathOf(service): PathOf<String>,
    caller: Caller,
    Strict(body): Strict<PinBody>,
) -> Result<Json<Answer>, Problem> {
    let command = Command::Pin {
        reason: fields::text("reason", body.reason)?,
        lasts: fields::duration("for", body.r#for.as_deref())?,
    };
    give(&shared, &service, command, caller).await.map(done)
}

/// Lift the pin
#[utoipa::path(
    delete, path = "/v1/services/{service}/pin", tag = "services", operation_id = "unpin",
    params(("service" = String, Path, description = "The service's name")),
    responses((status = 200, description = "Done", body = Answer)),
)]
pub(crate) async fn unpin(
    State(shared): State<Shared>,
    PathOf(service): PathOf<String>,
    caller: Caller,
    _body: Strict<Nothing>,
) -> Result<Json<Answer>, Problem> {
    give(&shared, &service, Command::Unpin, caller).await.map(done)
}
