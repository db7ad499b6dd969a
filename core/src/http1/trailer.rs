//! Trailer fields (RFC 9110, 6.5): collected while a chunked body is read, with every name removed
//! that a recipient could act on as if it had stood in the head.

use super::fault::BodyFault;
use super::field::FieldKind;
use super::limits::HeadLimits;
use super::request_line::is_token_byte;

/// Names beside those of [`FieldKind`] that must not come after a body: response control, content
/// format, authentication, cookies, conditions and ranges (RFC 9110, 6.5.1).
const FORBIDDEN: &[&[u8]] = &[
    b"age",
    b"cache-control",
    b"content-encoding",
    b"content-range",
    b"expires",
    b"location",
    b"max-forwards",
    b"pragma",
    b"range",
    b"retry-after",
    b"set-cookie",
    b"vary",
    b"warning",
    b"www-authenticate",
    b"authentication-info",
    b"proxy-authentication-info",
    b"if-match",
    b"if-none-match",
    b"if-modified-since",
    b"if-unmodified-since",
    b"if-range",
];

/// Whether a field is dropped from a trailer section: framing, routing and auth names, and what
/// [`FieldKind`] knows (a `_` for a `-` changes nothing).
pub fn forbidden_in_trailers(name: &[u8]) -> bool {
    FieldKind::of(name) != FieldKind::Other || FORBIDDEN.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// The trailers that may pass, as field lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers {
    block: Vec<u8>,
}

impl Trailers {
    /// `Name: value CRLF` for each, without the empty line.
    pub fn as_bytes(&self) -> &[u8] {
        &self.block
    }

    pub fn is_empty(&self) -> bool {
        self.block.is_empty()
    }

    /// `(name, value)` in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.block.split(|&byte| byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }
}

/// Reads a trailer section byte by byte: it is rare and small.
#[derive(Debug, Default)]
pub(crate) struct TrailerReader {
    trailers: Trailers,
    /// The line so far, its CR included.
    line: Vec<u8>,
    fields: usize,
    bytes: usize,
}

impl TrailerReader {
    pub(crate) fn trailers(&self) -> &Trailers {
        &self.trailers
    }

    /// Takes one byte; true after the empty line.
    pub(crate) fn step(&mut self, byte: u8, limits: &HeadLimits) -> Result<bool, BodyFault> {
        self.bytes += 1;
        // 2 for the empty line, which is not of the block.
        if self.bytes > limits.block_bytes_max.saturating_add(2) {
            return Err(BodyFault::TrailersTooLarge);
        }
        if byte != b'\n' {
            self.line.push(byte);
            return Ok(false);
        }
        let Some(line) = self.line.strip_suffix(b"\r") else { return Err(BodyFault::Trailer) };
        if line.is_empty() {
            return Ok(true);
        }
        self.fields += 1;
        if self.fields > limits.fields_max {
            return Err(BodyFault::TrailersTooLarge);
        }
        let (name, value) = read_line(line).ok_or(BodyFault::Trailer)?;
        if !forbidden_in_trailers(name) {
            for part in [name, b": ", value, b"\r\n"] {
                self.trailers.block.extend_from_slice(part);
            }
        }
        self.line.clear();
        Ok(false)
    }
}

/// `NAME ":" OWS VALUE OWS`; none if a byte is wrong.
fn read_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let name_fits = !name.is_empty() && name.iter().all(|&byte| is_token_byte(byte));
    let value_fits = value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
    (name_fits && value_fits).then(|| (name, value.trim_ascii()))
}
