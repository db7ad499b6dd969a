//! Reads the configuration file again.

use axum::Json;
use axum::extract::State;

use crate::control_plane::controller::ReloadReport;

use super::body::{Nothing, Strict};
use super::caller::Caller;
use super::problem::{Kind, Problem};
use super::shared::Shared;

/// Read the configuration file again
///
/// What can be changed live is applied, the rest is named. A file with a fault changes nothing:
/// 422 with each fault in `faults`.
#[utoipa::path(
    post, path = "/v1/reload", tag = "process", operation_id = "reload",
    request_body = Nothing,
    responses((status = 200, description = "What is in force now, and what needs a restart", body = ReloadReport)),
)]
pub(crate) async fn reload(
    State(shared): State<Shared>,
    caller: Caller,
    _body: Strict<Nothing>,
) -> Result<Json<ReloadReport>, Problem> {
    let report = shared.handle.reload(caller.actor).await?;
    if report.faults.is_empty() {
        return Ok(Json(report));
    }
    let count = report.faults.len();
    let faults = if count == 1 { "a fault".to_owned() } else { format!("{count} faults") };
    Err(Problem::new(Kind::BadConfiguration, format!("the file has {faults}: nothing was changed"))
        .with_faults(report.faults))
}
