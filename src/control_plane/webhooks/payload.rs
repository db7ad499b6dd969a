//! Reads each sender's messages. Pure; bytes become pushes.

mod bitbucket;
mod dockerhub;
mod generic;
mod github;
mod registry;

use std::borrow::Cow;

use reqwest::Url;

use crate::config::WebhookKind;
use crate::model::{ImageReference, is_digest, is_repository, is_tag};

use super::push::Push;

/// How many pushes of one message are read. A registry may put several into one message.
const PUSHES_MAX: usize = 100;

/// A message that does not have the form of its sender's messages.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(String);

impl Malformed {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// The pushes in this message. The list is empty if the message is about something else.
pub(crate) fn read(kind: WebhookKind, body: &[u8]) -> Result<Vec<Push>, Malformed> {
    let mut pushes = match kind {
        WebhookKind::Dockerhub => dockerhub::read(body)?,
        WebhookKind::Generic => generic::read(body)?,
        WebhookKind::Github => github::read(body)?,
        WebhookKind::Bitbucket => bitbucket::read(body)?,
        WebhookKind::Registry => registry::read(body)?,
    };
    pushes.truncate(PUSHES_MAX);
    // A registry's or a source host's message is about many things. One with an odd name says nothing against
    // the others. A message about one image is refused for it, so that its sender hears of it.
    match kind {
        WebhookKind::Bitbucket | WebhookKind::Registry => pushes.retain(|push| sound(push).is_ok()),
        WebhookKind::Dockerhub | WebhookKind::Generic | WebhookKind::Github => {
            pushes.iter().try_for_each(sound)?;
        }
    }
    Ok(pushes)
}

/// Whether a content type is that of a form, which is GitHub's default.
pub(crate) fn is_form(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The message in the field `payload` of a form.
pub(crate) fn from_form(body: &[u8]) -> Result<Cow<'_, [u8]>, Malformed> {
    let text = String::from_utf8_lossy(body);
    let mut form = Url::parse("form:").map_err(|why| Malformed::new(why.to_string()))?;
    form.set_query(Some(text.trim()));
    let json = form.query_pairs().find(|(name, _)| name == "payload");
    match json {
        Some((_, value)) => Ok(Cow::Owned(value.into_owned().into_bytes())),
        // Some tools send JSON with the type of a form (curl -d).
        None if body.trim_ascii_start().starts_with(b"{") => Ok(Cow::Borrowed(body)),
        None => Err(Malformed::new(
            "it is a form without a field \"payload\": choose the content type application/json at the sender",
        )),
    }
}

/// Refuses a name that no image can have, whatever the allow list says.
fn sound(push: &Push) -> Result<(), Malformed> {
    let judge = |text: Option<&String>, is: fn(&str) -> bool, what: &str| match text {
        Some(text) if !is(text) => Err(Malformed::new(format!("its {what} is none"))),
        _ => Ok(()),
    };
    judge(push.repository.as_ref(), is_repository, "repository")?;
    judge(push.tag.as_ref(), is_tag, "tag")?;
    judge(push.digest.as_ref(), is_digest, "digest")
}

fn json<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Malformed> {
    serde_json::from_slice(body)
        .map_err(|why| Malformed::new(format!("it is no message of this kind: {why}")))
}

/// Reads an image's whole name as a push.
fn image(text: &str) -> Result<Push, Malformed> {
    let image = ImageReference::parse(text).map_err(|_| Malformed::new("its image is no image's name"))?;
    Ok(Push {
        host: image.host().map(str::to_owned),
        repository: Some(image.name().to_owned()),
        tag: image.tag,
        digest: image.digest,
        ..Push::default()
    })
}
