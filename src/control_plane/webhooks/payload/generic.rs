//! A build's own message. It is `{"image": "org/app:prod"}`, or has `repository`, `tag` and `digest`.
//! `version` is a label. `pushed_at` (Unix seconds or RFC 3339) puts pushes in their order.

use serde::Deserialize;
use serde_json::Value;

use crate::control_plane::webhooks::push::{Push, unix_seconds};

use super::{Malformed, image, json};

#[derive(Deserialize)]
struct Message {
    image: Option<String>,
    repository: Option<Value>,
    tag: Option<String>,
    digest: Option<String>,
    version: Option<String>,
    pushed_at: Option<Value>,
}

pub(crate) fn read(body: &[u8]) -> Result<Vec<Push>, Malformed> {
    let message: Message = json(body)?;
    let mut push = match (&message.image, &message.repository) {
        (Some(name), _) => image(name)?,
        (None, Some(Value::String(repository))) => image(repository)?,
        (None, _) => Push::default(),
    };
    push.tag = message.tag.or(push.tag);
    push.digest = message.digest.or(push.digest);
    push.version = message.version;
    push.at = match message.pushed_at {
        None | Some(Value::Null) => None,
        Some(Value::Number(seconds)) => seconds.as_u64().filter(|seconds| *seconds > 0),
        Some(Value::String(text)) => {
            Some(unix_seconds(&text).ok_or_else(|| Malformed::new("its pushed_at is no RFC 3339 time"))?)
        }
        Some(_) => return Err(Malformed::new("its pushed_at is neither Unix seconds nor an RFC 3339 time")),
    };
    if push.repository.is_none() && push.version.is_none() {
        return Err(Malformed::new("it names neither an image, nor a repository, nor a version"));
    }
    if push.tag.is_none() && push.digest.is_none() && push.version.is_none() {
        push.tag = Some("latest".to_owned());
    }
    Ok(vec![push])
}
