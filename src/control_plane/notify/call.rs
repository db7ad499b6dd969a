//! A hook of a release that is an HTTP call: POST with JSON. The release goes on after a 2xx
//! answer.

use std::time::Duration;

use serde::Serialize;

use super::client::{client, excerpt};
use crate::control_plane::web::ask::secret_causes;

/// The JSON body of a hook's call. Fields may be added, not renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookCall {
    /// `pre_promote`, `post_promote` or `on_revert`.
    pub hook: String,
    pub service: String,
    pub release: String,
    pub version: String,
    /// The color of the release: `blue` or `green`.
    pub color: String,
    /// The version on the other color; null if it is not known.
    pub other_version: Option<String>,
    /// The addresses of the color's endpoints, for the hook's own tests.
    pub endpoints: Vec<String>,
    /// When the call was made, RFC 3339.
    pub time: String,
}

/// Calls the hook once. After a crash the same call may come twice, with the same
/// `X-Greenlight-Delivery`.
///
/// # Errors
/// The reason why the answer was not 2xx, in a sentence that does not contain the URL.
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
