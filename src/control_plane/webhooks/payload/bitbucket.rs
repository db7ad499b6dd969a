//! Bitbucket Cloud (support.atlassian.com, "Event payloads"), the event `repo:push`. It is about a branch
//! or a tag of the source, and that name takes the place of an image's tag. It has no time of the push: the
//! date of a commit is older if a branch is moved back. So pushes go in the order of their arrival.

use serde::Deserialize;

use crate::control_plane::webhooks::push::Push;

use super::{Malformed, json};

#[derive(Deserialize)]
struct Message {
    push: Option<Changes>,
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Changes {
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    /// Null if a branch or a tag was removed.
    new: Option<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    hash: String,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

pub(crate) fn read(body: &[u8]) -> Result<Vec<Push>, Malformed> {
    let message: Message = json(body)?;
    let (Some(push), Some(repository)) = (message.push, message.repository) else { return Ok(Vec::new()) };
    let changed = push.changes.into_iter().filter_map(|change| change.new);
    let pushes = changed.filter(|new| new.kind == "tag" || new.kind == "branch").map(|new| {
        let hash = new.target.as_ref().map(|target| target.hash.chars().take(12).collect::<String>());
        // A branch moves, so the commit is part of the version.
        let version = match (new.kind.as_str(), hash) {
            ("branch", Some(hash)) => Some(format!("{}@{hash}", new.name)),
            _ => Some(new.name.clone()),
        };
        Push {
            repository: Some(repository.full_name.to_lowercase()),
            // An image's tag can't have the slash of a branch such as `feature/x`.
            tag: Some(new.name.replace('/', "-")),
            version,
            ..Push::default()
        }
    });
    Ok(pushes.collect())
}
