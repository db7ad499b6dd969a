//! Image references in the form `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`, as `docker pull` takes them.

use std::fmt;

use super::registry::{DOCKER_HUB, registry_of, split_registry};

/// The parts of an image reference, as they were written. `org/app` means an image of the Docker Hub and
/// still stays `org/app`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReference {
    /// The repository, with the host if one is written.
    pub repository: String,
    /// The tag, if one is written.
    pub tag: Option<String>,
    /// The digest, if one is written: `sha256:` and 64 hexadecimal digits.
    pub digest: Option<String>,
}

/// The fault of a text that is not an image reference. Its message shows an example of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no image: {why}; one is such as \"registry.example.org/org/app:prod\"")]
pub struct NotAnImage {
    /// The text, cut after 255 characters.
    pub text: String,
    /// The rule that the text breaks.
    pub why: &'static str,
}

impl ImageReference {
    /// Splits a reference into its parts.
    ///
    /// # Errors
    /// The text is empty or longer than 255 bytes, a part is empty, or a part has a character that no
    /// name, tag or digest has.
    pub fn parse(text: &str) -> Result<Self, NotAnImage> {
        let fault = |why| NotAnImage { text: text.chars().take(255).collect(), why };
        if text.is_empty() || text.len() > 255 {
            return Err(fault("it has 1 to 255 characters"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(fault("after @ comes sha256: and 64 hexadecimal digits")),
            None => (text, None),
        };
        // A colon behind the last slash begins a tag. A colon before it begins a port.
        let name_at = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match rest[name_at..].split_once(':') {
            Some((_, tag)) => (&rest[..rest.len() - tag.len() - 1], Some(tag)),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(fault("a tag has 1 to 128 letters, digits, _, . and -"));
        }
        let (host, path) = split_registry(repository);
        if host.is_some_and(|host| !host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b)))
        {
            return Err(fault("its host has a character that no host name has"));
        }
        if !is_repository(path) {
            return Err(fault("its name has lower-case letters, digits, and between them . _ - and /"));
        }
        Ok(Self { repository: repository.to_owned(), tag: tag.map(str::to_owned), digest })
    }

    /// The host and port of the registry, if they are written.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        split_registry(&self.repository).0
    }

    /// The repository as it is written, without the host.
    #[must_use]
    pub fn name(&self) -> &str {
        split_registry(&self.repository).1
    }

    /// The host and port of the registry. It is `docker.io` if none is written.
    #[must_use]
    pub fn registry(&self) -> &str {
        registry_of(&self.repository)
    }

    /// The name of the repository at its registry. The Docker Hub keeps its official images, whose names
    /// have no `/`, in the folder `library`.
    #[must_use]
    pub fn path(&self) -> String {
        let path = self.name();
        if self.registry() == DOCKER_HUB && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        }
    }

    /// The reference of the same repository at a digest. An engine pulls and runs this reference.
    #[must_use]
    pub fn at(&self, digest: &str) -> String {
        format!("{}@{digest}", self.repository)
    }

    /// The same repository with another tag, and no digest.
    #[must_use]
    pub fn tagged(&self, tag: &str) -> Self {
        Self { repository: self.repository.clone(), tag: Some(tag.to_owned()), digest: None }
    }
}

impl fmt::Display for ImageReference {
    /// Writes the reference. If neither a tag nor a digest is written, it adds `:latest`, which is the
    /// meaning of such a reference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        match (&self.tag, &self.digest) {
            (Some(tag), _) => write!(f, ":{tag}")?,
            (None, None) => f.write_str(":latest")?,
            (None, Some(_)) => {}
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

/// Whether a text is a digest: `sha256:` and 64 lower-case hexadecimal digits. Registries use no other
/// algorithm.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// Whether a text can be a tag: 1 to 128 ASCII letters, digits, `_`, `.` and `-`, with no `.` or `-` at
/// the beginning.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    let rest = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    (1..=128).contains(&text.len())
        && text.bytes().all(rest)
        && !text.starts_with('.')
        && !text.starts_with('-')
}

/// Whether a text can be a repository without a host. It has at most 255 bytes and consists of parts that
/// are joined by `/`. A part has lower-case letters and digits, and `.`, `_` and `-` between them.
#[must_use]
pub fn is_repository(text: &str) -> bool {
    let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let part =
        |part: &str| part.bytes().all(sound) && edge(part.as_bytes().first()) && edge(part.as_bytes().last());
    text.len() <= 255 && text.split('/').all(part)
}
