//! Docker Hub (docs.docker.com/docker-hub/repos/manage/webhooks). Its messages are not signed, so only the
//! URL can hold a secret. The `callback_url` is not even read.

use serde::Deserialize;

use crate::control_plane::webhooks::push::{Push, rfc3339};

use super::{Malformed, json};

#[derive(Deserialize)]
struct Message {
    push_data: PushData,
    repository: Repository,
}

#[derive(Deserialize)]
struct PushData {
    tag: String,
    /// In Unix seconds.
    #[serde(default)]
    pushed_at: Option<f64>,
}

#[derive(Deserialize)]
struct Repository {
    repo_name: String,
}

pub(crate) fn read(body: &[u8]) -> Result<Vec<Push>, Malformed> {
    let Message { push_data: PushData { tag, pushed_at }, repository } = json(body)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "of a time before 1970 0 is made"
    )]
    let at = pushed_at.filter(|seconds| *seconds >= 1.0).map(|seconds| seconds as u64);
    // A tag that moves is another version each time it is pushed.
    let version = at.map(|at| format!("{tag}@{}", rfc3339(at)));
    Ok(vec![Push { repository: Some(repository.repo_name), tag: Some(tag), version, at, ..Push::default() }])
}
