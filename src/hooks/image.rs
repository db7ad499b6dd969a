//! An image's name, taken apart as far as webhooks need it. Pure.

use std::fmt;

use crate::model::split_registry;

/// `[HOST/]REPOSITORY[:TAG][@DIGEST]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// `None` where none is written: the Docker Hub.
    pub(super) host: Option<String>,
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Option<String>,
}

impl Image {
    /// `None` for what is no image's name. Characters that no name, tag or digest has are in none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return None,
            None => (text, None),
        };
        let name_at = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[name_at..].split_once(':') {
            Some((_, tag)) => (&rest[..rest.len() - tag.len() - 1], Some(tag.to_owned())),
            None => (rest, None),
        };
        let (host, repository) = split_registry(name);
        let host = host.map(str::to_owned);
        let sound = is_repository(repository)
            && tag.as_deref().is_none_or(is_tag)
            && host.as_deref().is_none_or(|host| host.bytes().all(is_host_byte));
        sound.then(|| Self { host, repository: repository.to_owned(), tag, digest })
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        f.write_str(&self.repository)?;
        self.tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{tag}"))?;
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte)
}

/// `sha256:` and 64 lower-case hexadecimal digits.
pub(super) fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

/// Parts of lower-case letters and digits, with `.`, `_` and `-` between them, joined by `/`.
pub(super) fn is_repository(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let edge =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let part =
        |part: &str| part.bytes().all(sound) && edge(part.as_bytes().first()) && edge(part.as_bytes().last());
    text.len() <= 255 && text.split('/').all(part)
}

pub(super) fn is_tag(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(sound) && !text.starts_with(['.', '-'])
}
