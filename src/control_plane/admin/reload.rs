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
    // A report with faults and applied keys is of a sound file, of which a part could not be applied.
    let detail = if report.applied.is_empty() && report.needs_restart.is_empty() {
        format!("the file has {faults}: nothing was changed")
    } else {
        format!("{faults} of the reload, and all else is in force: {}", report.applied.join(", "))
    };
    Err(Problem::new(Kind::BadConfiguration, detail).with_faults(report.faults))
}
