//! Which images a webhook may speak of. Pure.

use crate::model::{DOCKER_HUB, ImageReference, split_registry};

use super::push::Push;

/// One entry of `allow`: `[HOST/]REPOSITORY[:TAG]`, in which `*` stands for any characters but `/`.
/// Without a tag: any tag. Without a host: the service's own registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    host: Option<String>,
    repository: String,
    tag: Option<String>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let name_at = text.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match text[name_at..].split_once(':') {
            Some((_, tag)) => (&text[..text.len() - tag.len() - 1], Some(tag.to_owned())),
            None => (text, None),
        };
        let (host, repository) = split_registry(name);
        Self { host: host.map(str::to_owned), repository: repository.to_owned(), tag }
    }

    /// Whether it stands for what was pushed. A host of a pattern has to be the sender's; `docker.io` is
    /// the one of a sender that names none.
    fn matches(&self, push: &Push) -> bool {
        let host = |host: &str| host == push.host.as_deref().unwrap_or(DOCKER_HUB);
        let tag = |pattern: &str| push.tag.as_deref().is_some_and(|tag| glob(pattern, tag));
        let repository = push.repository.as_deref().unwrap_or_default();
        self.host.as_deref().is_none_or(host)
            && glob(&self.repository, repository)
            && self.tag.as_deref().is_none_or(tag)
    }
}

/// What the configuration says of one webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) patterns: Vec<Pattern>,
    /// The image of the service where greenlight runs its containers.
    pub(crate) image: Option<ImageReference>,
}

impl Allowed {
    /// The image reference that a push leads to, for a service with containers; `Err` says why there
    /// is none. The registry is always one that the configuration names: that of the service's
    /// `image`, or the host of the pattern that matched.
    ///
    /// Without patterns a push of just the service's `image` is allowed.
    pub(crate) fn reference(&self, push: &Push) -> Result<Option<String>, &'static str> {
        let matched = self.patterns.iter().find(|pattern| pattern.matches(push));
        let Some(own) = &self.image else {
            // Nothing is run: the push is a label, and no patterns allow all.
            return if self.patterns.is_empty() || matched.is_some() || self.labels(push) {
                Ok(None)
            } else {
                Err("it is not in the webhook's allow list")
            };
        };
        let Some(repository) = &push.repository else {
            return Err("it names no repository, and the service runs images");
        };
        let host = if self.patterns.is_empty() {
            if repository != own.name() || (own.tag.is_some() && push.tag != own.tag) {
                return Err("it is not the service's image, and the webhook has no allow list");
            }
            own.host()
        } else {
            match matched {
                Some(Pattern { host: Some(host), .. }) => Some(host.as_str()),
                Some(_) => own.host(),
                None => return Err("it is not in the webhook's allow list"),
            }
        };
        // The tag is resolved to a digest by us; a digest counts only where no tag is named.
        let digest = if push.tag.is_none() { push.digest.clone() } else { None };
        if push.tag.is_none() && digest.is_none() {
            return Err("it names neither a tag nor a digest");
        }
        let repository = match host.filter(|host| *host != DOCKER_HUB) {
            Some(host) => format!("{host}/{repository}"),
            None => repository.clone(),
        };
        Ok(Some(ImageReference { repository, tag: push.tag.clone(), digest }.to_string()))
    }

    /// A sender that only names a version: the pattern is for the version.
    fn labels(&self, push: &Push) -> bool {
        let whole = |pattern: &Pattern| pattern.host.is_none() && pattern.tag.is_none();
        push.repository.is_none()
            && push.version.as_deref().is_some_and(|version| {
                self.patterns.iter().any(|pattern| whole(pattern) && glob(&pattern.repository, version))
            })
    }
}

/// `*` stands for any characters but `/`, none too.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((after, taken)) = star.filter(|(_, taken)| text[*taken] != b'/') {
            star = Some((after, taken + 1));
            p = after;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}
