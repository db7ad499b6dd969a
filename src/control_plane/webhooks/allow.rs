//! Which images a webhook may name. Pure.

use crate::model::{DOCKER_HUB, ImageReference, split_registry};

use super::push::Push;

/// One entry of `allow`, `[HOST/]REPOSITORY[:TAG]`, in which `*` stands for any characters but `/`. Without
/// a tag it allows any tag. Without a host it stands for the service's own registry.
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

    /// Whether the pattern matches a push. A host in the pattern has to be the host that the sender names.
    /// A sender that names no host means `docker.io`.
    fn matches(&self, push: &Push) -> bool {
        let host = |host: &str| host == push.host.as_deref().unwrap_or(DOCKER_HUB);
        let tag = |pattern: &str| push.tag.as_deref().is_some_and(|tag| glob(pattern, tag));
        let repository = push.repository.as_deref().unwrap_or_default();
        self.host.as_deref().is_none_or(host)
            && glob(&self.repository, repository)
            && self.tag.as_deref().is_none_or(tag)
    }
}

/// The images that one webhook may name, by the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) patterns: Vec<Pattern>,
    /// The image of the service, if greenlight runs its containers.
    pub(crate) image: Option<ImageReference>,
    /// The tags that greenlight moves itself (`upstream.tags`). The registry tells of that as pushes.
    pub(crate) own_tags: Vec<String>,
}

impl Allowed {
    /// The image reference that a push leads to, for a service with containers. `Err` says why there is
    /// none. The registry is always one that the configuration names, either that of the service's `image`
    /// or the host of the pattern that matched.
    ///
    /// Without patterns, only a push of the service's own `image` is allowed.
    pub(crate) fn reference(&self, push: &Push) -> Result<Option<String>, &'static str> {
        let matched = self.patterns.iter().find(|pattern| pattern.matches(push));
        let Some(own) = &self.image else {
            // greenlight runs no image here, so the push is only a label. Without patterns, any push is
            // allowed.
            return if self.patterns.is_empty() || matched.is_some() || self.labels(push) {
                Ok(None)
            } else {
                Err("it is not in the webhook's allow list")
            };
        };
        let Some(repository) = &push.repository else {
            return Err("it names no repository, and the service runs images");
        };
        if repository == own.name() && push.tag.as_ref().is_some_and(|tag| self.own_tags.contains(tag)) {
            return Err("greenlight moves this tag itself (upstream.tags), so it is no push");
        }
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
        // greenlight resolves the tag to a digest itself. A digest of the sender counts only if no tag is
        // named.
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

    /// Whether a pattern allows the version of a sender that names only a version.
    fn labels(&self, push: &Push) -> bool {
        let whole = |pattern: &Pattern| pattern.host.is_none() && pattern.tag.is_none();
        push.repository.is_none()
            && push.version.as_deref().is_some_and(|version| {
                self.patterns.iter().any(|pattern| whole(pattern) && glob(&pattern.repository, version))
            })
    }
}

/// Whether the pattern matches. `*` stands for any characters but `/`, also for none.
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
