//! `METHOD SP TARGET SP VERSION` (RFC 9112, 3), each part with one reading.

use super::authority::valid_authority;
use super::fault::RequestFault;
use super::limits::{HeadLimits, METHOD_BYTES_MAX};
use super::peer::Scheme;
use super::request::{Method, Target, TargetForm, Version};
use super::span::Span;

/// Bytes of a token (RFC 9110, 5.6.2).
pub(super) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
        | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// A request line, read.
#[derive(Debug)]
pub(super) struct RequestLine {
    pub method: Method,
    pub method_span: Span,
    pub target: Target,
    pub version: Version,
}

/// Reads `buf[start..end]`, a line without its CRLF.
pub(super) fn read_request_line(
    buf: &[u8],
    start: usize,
    end: usize,
    limits: &HeadLimits,
) -> Result<RequestLine, RequestFault> {
    let line = &buf[start..end];
    let method_len = line.iter().take_while(|&&byte| is_token_byte(byte)).count();
    if method_len > METHOD_BYTES_MAX {
        return Err(RequestFault::MethodTooLong);
    }
    if method_len == 0 || line.get(method_len) != Some(&b' ') {
        return Err(RequestFault::RequestLine);
    }
    let method = Method::of(&line[..method_len]);
    let target_start = method_len + 1;
    let last_space = line.iter().rposition(|&byte| byte == b' ').unwrap_or(0);
    if last_space < target_start {
        return Err(RequestFault::RequestLine);
    }
    let version = read_version(&line[last_space + 1..])?;
    if method == Method::Refused {
        return Err(RequestFault::MethodNotAllowed);
    }
    if last_space - target_start > limits.target_bytes_max {
        return Err(RequestFault::TargetTooLong);
    }
    let target = read_target(buf, start + target_start, start + last_space, method)?;
    Ok(RequestLine { method, method_span: Span::new(start, start + method_len), target, version })
}

/// What an over-long, perhaps unfinished first line is too long in.
pub(super) fn too_long(line: &[u8], limits: &HeadLimits) -> RequestFault {
    let method_len = line.iter().take_while(|&&byte| is_token_byte(byte)).count();
    if method_len > METHOD_BYTES_MAX {
        return RequestFault::MethodTooLong;
    }
    match line[method_len..].split_first() {
        Some((b' ', rest)) => {
            let target_len = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
            if target_len > limits.target_bytes_max {
                RequestFault::TargetTooLong
            } else {
                RequestFault::RequestLine
            }
        }
        _ => RequestFault::RequestLine,
    }
}

fn read_version(version: &[u8]) -> Result<Version, RequestFault> {
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        other if is_some_version(other) => Err(RequestFault::Version),
        _ => Err(RequestFault::RequestLine),
    }
}

/// `HTTP/` and two numbers: a version, if not one of ours. Also tells 505 from 400.
pub(super) fn is_some_version(text: &[u8]) -> bool {
    let Some(numbers) = text.strip_prefix(b"HTTP/") else { return false };
    let mut parts = numbers.split(|&byte| byte == b'.');
    let is_number =
        |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    is_number(parts.next()) && is_number(parts.next()) && parts.next().is_none()
}

fn read_target(buf: &[u8], start: usize, end: usize, method: Method) -> Result<Target, RequestFault> {
    let target = &buf[start..end];
    // Without a branch in it this loop becomes a few vector instructions.
    let (mut bad, mut high) = (false, 0_u8);
    for &byte in target {
        bad |= (byte <= b' ') | (byte == 0x7f) | (byte == b'#');
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

/// `http://authority/path` or `https://...` (RFC 9112, 3.2.2).
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
