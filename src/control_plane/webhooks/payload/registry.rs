//! A registry's own notifications (CNCF distribution, "Notifications",
//! `application/vnd.docker.distribution.events.v1+json`). A message is an envelope of events. Only a
//! manifest that was pushed under a tag counts.

use serde::Deserialize;

use crate::control_plane::webhooks::push::{Push, unix_seconds};

use super::{Malformed, json};

#[derive(Deserialize)]
struct Envelope {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    action: String,
    timestamp: Option<String>,
    target: Option<Target>,
    request: Option<Request>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(rename = "mediaType", default)]
    media_type: String,
    #[serde(default)]
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Request {
    host: Option<String>,
}

pub(crate) fn read(body: &[u8]) -> Result<Vec<Push>, Malformed> {
    let envelope: Envelope = json(body)?;
    let pushed = envelope.events.into_iter().filter(|event| event.action == "push");
    let pushes = pushed.filter_map(|event| {
        let Target { media_type, repository, tag, digest } = event.target?;
        let manifest = media_type.contains("manifest") || media_type.contains("image.index");
        let tag = tag.filter(|tag| manifest && !tag.is_empty())?;
        Some(Push {
            host: event.request.and_then(|request| request.host).filter(|host| !host.is_empty()),
            repository: Some(repository),
            tag: Some(tag),
            digest: digest.filter(|digest| !digest.is_empty()),
            version: None,
            at: event.timestamp.as_deref().and_then(unix_seconds),
        })
    });
    Ok(pushes.collect())
}
