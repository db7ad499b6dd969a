//! HTTP versions.

/// The versions that are spoken here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    Http10,
    #[default]
    Http11,
}

/// Why a version is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionFault {
    /// A version, but not 1.0 or 1.1.
    Unknown,
    /// No version at all.
    Malformed,
}

impl Version {
    /// `HTTP/1.0` or `HTTP/1.1`, in capitals (RFC 9112, 2.3).
    pub(crate) fn read(text: &[u8]) -> Result<Self, VersionFault> {
        match text {
            b"HTTP/1.1" => Ok(Self::Http11),
            b"HTTP/1.0" => Ok(Self::Http10),
            other if is_some_version(other) => Err(VersionFault::Unknown),
            _ => Err(VersionFault::Malformed),
        }
    }
}

/// `HTTP/` and two numbers.
fn is_some_version(text: &[u8]) -> bool {
    let Some(numbers) = text.strip_prefix(b"HTTP/") else { return false };
    let mut parts = numbers.split(|&byte| byte == b'.');
    let is_number =
        |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    is_number(parts.next()) && is_number(parts.next()) && parts.next().is_none()
}
