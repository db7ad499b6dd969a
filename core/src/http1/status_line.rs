//! The status line, `VERSION SP CODE [SP REASON]` (RFC 9112, 4).

use super::fault::ResponseFault;
use super::span::Span;
use super::version::{Version, VersionFault};

/// The parts of a status line.
#[derive(Debug)]
pub(crate) struct StatusLine {
    pub version: Version,
    pub status: u16,
    pub reason: Span,
}

/// Reads `buf[start..end]`, a line without its CRLF. The space before an empty reason may be missing.
/// Many origins leave it out, and the line has no other reading.
pub(crate) fn read_status_line(buf: &[u8], start: usize, end: usize) -> Result<StatusLine, ResponseFault> {
    let line = &buf[start..end];
    let space = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
    let version = Version::read(&line[..space]).map_err(|fault| match fault {
        VersionFault::Unknown => ResponseFault::Version,
        VersionFault::Malformed => ResponseFault::StatusLine,
    })?;
    let rest = line.get(space + 1..).unwrap_or_default();
    let (code, reason_at) = match rest.iter().position(|&byte| byte == b' ') {
        Some(space_after) => (&rest[..space_after], space + 1 + space_after + 1),
        None => (rest, line.len()),
    };
    let [hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = code else {
        return Err(ResponseFault::Status);
    };
    let digit = |byte: u8| u16::from(byte - b'0');
    let status = digit(*hundreds) * 100 + digit(*tens) * 10 + digit(*ones);
    let reason = &line[reason_at..];
    if reason.iter().any(|&byte| byte != b'\t' && (byte < b' ' || byte == 0x7f)) {
        return Err(ResponseFault::StatusLine);
    }
    Ok(StatusLine { version, status, reason: Span::new(start + reason_at, end) })
}
