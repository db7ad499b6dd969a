//! The request-target (RFC 9112, 3.2). It is a path that the door forwards, a `*` that the door answers,
//! or an error.

use super::authority::valid_authority;
use super::fault::RequestFault;
use super::method::Method;
use super::peer::Scheme;
use super::span::Span;

/// The form in which a request-target came (RFC 9112, 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetForm {
    /// A path with an optional query (RFC 9112, 3.2.1).
    #[default]
    Origin,
    /// A URL (RFC 9112, 3.2.2). The origin gets the path in origin-form.
    Absolute,
    /// `OPTIONS *`, or `OPTIONS http://host` without a path (RFC 9112, 3.2.4). The door answers it.
    Asterisk,
}

/// A request-target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The form of the target.
    pub form: TargetForm,
    /// Path and query as they were sent. In absolute-form they may be empty or begin with `?`. The
    /// door then puts a `/` in front.
    pub path: Span,
    /// The authority of an absolute-form target. Empty in the other forms.
    pub authority: Span,
    /// The scheme of an absolute-form target. [`Scheme::Http`] in the other forms.
    pub scheme: Scheme,
    /// Whether the target has bytes over 0x7F. The door forwards these percent-encoded.
    pub needs_encoding: bool,
}

/// Reads the target in `buf[start..end]`.
pub(crate) fn read_target(
    buf: &[u8],
    start: usize,
    end: usize,
    method: Method,
) -> Result<Target, RequestFault> {
    let target = &buf[start..end];
    // This loop has no branch, so that the compiler turns it into a few vector instructions.
    let (mut bad, mut high) = (false, 0_u8);
    for &byte in target {
        bad |= byte <= b' ';
        bad |= byte == 0x7f;
        bad |= byte == b'#';
        high |= byte;
    }
    if bad {
        return Err(RequestFault::Target);
    }
    let needs_encoding = high >= 0x80;
    match target.first() {
        Some(b'/') => Ok(Target {
            form: TargetForm::Origin,
            path: Span::new(start, end),
            authority: Span::default(),
            scheme: Scheme::Http,
            needs_encoding,
        }),
        Some(b'*') if target.len() == 1 && method == Method::Options => Ok(Target {
            form: TargetForm::Asterisk,
            path: Span::new(start, end),
            authority: Span::default(),
            scheme: Scheme::Http,
            needs_encoding,
        }),
        _ => read_absolute(buf, start, end, method, needs_encoding),
    }
}

/// Reads `http://authority/path` or `https://authority/path` (RFC 9112, 3.2.2).
fn read_absolute(
    buf: &[u8],
    start: usize,
    end: usize,
    method: Method,
    needs_encoding: bool,
) -> Result<Target, RequestFault> {
    let target = &buf[start..end];
    let begins_with =
        |prefix: &[u8]| target.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    let (scheme, authority_at) = if begins_with(b"http://") {
        (Scheme::Http, start + 7)
    } else if begins_with(b"https://") {
        (Scheme::Https, start + 8)
    } else {
        return Err(RequestFault::Target);
    };
    let rest = &buf[authority_at..end];
    let authority_len = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    if !valid_authority(&rest[..authority_len]) {
        return Err(RequestFault::Authority);
    }
    let path_at = authority_at + authority_len;
    let is_asterisk = path_at == end && method == Method::Options;
    Ok(Target {
        form: if is_asterisk { TargetForm::Asterisk } else { TargetForm::Absolute },
        path: Span::new(path_at, end),
        authority: Span::new(authority_at, path_at),
        scheme,
        needs_encoding,
    })
}
