//! The HTTP versions of this codec (RFC 9112, 2.3).

/// The versions that the codec reads. HTTP/2 has another codec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    Http10,
    #[default]
    Http11,
}

/// Why a version is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionFault {
    /// The text has the form of a version, but it is neither 1.0 nor 1.1.
    Unknown,
    /// The text does not have the form of a version.
    Malformed,
}

impl Version {
    /// Reads `HTTP/1.0` or `HTTP/1.1`. The name is case-sensitive (RFC 9112, 2.3).
    pub(crate) fn read(text: &[u8]) -> Result<Self, VersionFault> {
        match text {
            b"HTTP/1.1" => Ok(Self::Http11),
            b"HTTP/1.0" => Ok(Self::Http10),
            other if is_some_version(other) => Err(VersionFault::Unknown),
            _ => Err(VersionFault::Malformed),
        }
    }
}

/// Whether a text is `HTTP/` and two numbers of any length with a dot between them.
fn is_some_version(text: &[u8]) -> bool {
    let Some(numbers) = text.strip_prefix(b"HTTP/") else { return false };
    let mut parts = numbers.split(|&byte| byte == b'.');
    let is_number =
        |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    is_number(parts.next()) && is_number(parts.next()) && parts.next().is_none()
}
