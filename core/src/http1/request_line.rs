//! The request line, `METHOD SP TARGET SP VERSION` (RFC 9112, 3). A line that could be split in more than
//! one way is refused, so that the door and an origin can't read it differently.

use super::fault::RequestFault;
use super::limits::{HeadLimits, METHOD_BYTES_MAX};
use super::method::Method;
use super::span::Span;
use super::target::{Target, read_target};
use super::version::{Version, VersionFault};

/// Whether a byte is allowed in a token (RFC 9110, 5.6.2).
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
        | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// The parts of a request line.
#[derive(Debug)]
pub(crate) struct RequestLine {
    pub method: Method,
    pub method_span: Span,
    pub target: Target,
    pub version: Version,
}

/// Reads the request line in `buf[start..end]`, without its CRLF. All spans in the result are positions in
/// `buf`. Fails if a part is malformed, longer than its limit, or refused (CONNECT, TRACE, an unknown
/// version).
pub(crate) fn read_request_line(
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
    let version = Version::read(&line[last_space + 1..]).map_err(|fault| match fault {
        VersionFault::Unknown => RequestFault::Version,
        VersionFault::Malformed => RequestFault::RequestLine,
    })?;
    if method == Method::Refused {
        return Err(RequestFault::MethodNotAllowed);
    }
    if last_space - target_start > limits.target_bytes_max {
        return Err(RequestFault::TargetTooLong);
    }
    let target = read_target(buf, start + target_start, start + last_space, method)?;
    Ok(RequestLine { method, method_span: Span::new(start, start + method_len), target, version })
}

/// The fault of a first line that is longer than its limit. The line may be incomplete. The fault names
/// the part that is too long, which is the method or the target. If neither part is too long, the line is
/// malformed.
pub(crate) fn too_long(line: &[u8], limits: &HeadLimits) -> RequestFault {
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
