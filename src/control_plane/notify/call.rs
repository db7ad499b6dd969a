//! A hook of a release that is an HTTP call: POST with JSON; 2xx goes on.

use std::time::Duration;

use serde::Serialize;

use super::client::{client, excerpt};
use crate::control_plane::web::ask::secret_causes;

/// What a hook is told. Fields may be added, not renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookCall {
    /// `pre_promote`, `post_promote` or `on_revert`.
    pub hook: String,
    pub service: String,
    pub release: String,
    pub version: String,
    /// The color of the release: `blue` or `green`.
    pub color: String,
    /// What the other color runs; null where that is not known.
    pub other_version: Option<String>,
    /// Addresses of the color's endpoints, for a test of one's own.
    pub endpoints: Vec<String>,
    /// RFC 3339.
    pub time: String,
}

/// Calls it once. The same call may come twice, after a crash: `X-Greenlight-Delivery` is the same then.
///
/// # Errors
/// Why the answer was not 2xx, in a sentence that does not hold the URL.
pub async fn call(url: &str, timeout: Duration, hook: &HookCall) -> Result<(), String> {
    let client = client(url, timeout)?;
    let request = client
        .post(url)
        .header("X-Greenlight-Event", &hook.hook)
        .header("X-Greenlight-Delivery", format!("{}/{}", hook.release, hook.hook))
        .json(hook);
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(why) if why.is_timeout() => {
            return Err(format!("it did not answer within {}", humantime::format_duration(timeout)));
        }
        Err(why) => return Err(format!("it can't be called: {}", secret_causes(why))),
    };
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let said = excerpt(answer).await;
    Err(if said.is_empty() {
        format!("it answered {status}")
    } else {
        format!("it answered {status}: {said}")
    })
}
