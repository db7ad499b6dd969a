//! Trailer fields (RFC 9110, 6.5). The body reader collects them from a chunked body. It drops every
//! name that a recipient could act on as if the field had been in the head.

use super::fault::BodyFault;
use super::field::FieldKind;
use super::limits::HeadLimits;
use super::request_line::is_token_byte;

/// Names that must not come after a body, in addition to those of [`FieldKind`]. They are about
/// response control, content format, authentication, cookies, conditions and ranges (RFC 9110, 6.5.1).
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

/// Whether a field of this name is dropped from a trailer section. That is so for names of framing,
/// routing and authentication, and for every name that [`FieldKind`] knows. Case does not matter. A
/// name that [`FieldKind`] takes for a shadow, with `_` in place of `-`, is dropped too.
pub fn forbidden_in_trailers(name: &[u8]) -> bool {
    FieldKind::of(name) != FieldKind::Other || FORBIDDEN.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// The trailers of one body that may pass to the recipient, as field lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers {
    block: Vec<u8>,
}

impl Trailers {
    /// One line `Name: value CRLF` for each trailer, without the empty line at the end.
    pub fn as_bytes(&self) -> &[u8] {
        &self.block
    }

    /// Whether no trailer may pass.
    pub fn is_empty(&self) -> bool {
        self.block.is_empty()
    }

    /// Each trailer as `(name, value)`, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.block.split(|&byte| byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }
}

/// Reads a trailer section byte by byte. That is fast enough, since trailers are rare and small.
#[derive(Debug, Default)]
pub(crate) struct TrailerReader {
    trailers: Trailers,
    /// The part of the current line that has come, including its CR.
    line: Vec<u8>,
    fields: usize,
    bytes: usize,
}

impl TrailerReader {
    pub(crate) fn trailers(&self) -> &Trailers {
        &self.trailers
    }

    /// Takes one byte. Returns true after the empty line, which ends the section. The caller's
    /// `limits` are the limits of a head.
    pub(crate) fn step(&mut self, byte: u8, limits: &HeadLimits) -> Result<bool, BodyFault> {
        self.bytes += 1;
        // The 2 is for the empty line, which is not part of the block.
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

/// Reads `NAME ":" OWS VALUE OWS` (RFC 9112, 5). `None` if a byte is not legal there.
fn read_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let name_fits = !name.is_empty() && name.iter().all(|&byte| is_token_byte(byte));
    let value_fits = value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
    (name_fits && value_fits).then(|| (name, value.trim_ascii()))
}
