//! Reads the fields that people add to the format `combined`, after the user agent:
//!
//! ```text
//! 0.109                           nginx: $request_time
//! "203.0.113.7" 0.109 0.101       nginx: "$http_x_forwarded_for" $request_time $upstream_response_time
//! "203.0.113.7" rt=0.109 uct="0.000"
//! 412 0.109 [shop-web-80] [] ...  ingress-nginx: $request_length $request_time ...
//! 109364                          Apache: %D, in microseconds
//! 0/109364                        Apache: %T/%D
//! 17 "web@docker" "http://..." 9ms  Traefik
//! ```

use std::net::IpAddr;

use memchr::memchr;

use super::line::{millis, number};
use super::scalar::last_forwarded;

/// The fields after the user agent. Further ones say nothing that the replay knows.
const FIELDS_MAX: usize = 12;

/// The fields after the status and the size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trailer<'a> {
    /// The time that the request took, in milliseconds.
    pub(crate) took_ms: Option<u32>,
    /// The time from the line's own time to the end of the request, in milliseconds. Apache writes the time at
    /// which the request came.
    pub(crate) since_logged_ms: u32,
    /// The right-most address of a quoted list of addresses.
    pub(crate) forwarded: Option<&'a str>,
}

impl<'a> Trailer<'a> {
    /// Reads `"referer" "user agent"` and the fields after them, or the fields alone.
    pub(crate) fn read(text: &'a [u8]) -> Self {
        let rest = match quoted(text) {
            None => Some(text),
            Some((_referer, rest)) => rest.strip_prefix(b" ").and_then(quoted).map(|(_agent, rest)| rest),
        };
        let mut trailer = Self::default();
        let (mut seconds, mut suffixed, mut micros) = (None, None, None);
        for field in Fields(rest.unwrap_or_default()).take(FIELDS_MAX) {
            let value = match memchr(b'=', field.text) {
                // Times of the upstream alone, such as `uct="0.000"`.
                Some(_) if matches!(field.text.first(), Some(b'u' | b'U')) => continue,
                Some(at) => unquoted(&field.text[at + 1..]),
                None => field.text,
            };
            if field.quoted && trailer.forwarded.is_none() {
                trailer.forwarded = forwarded(value);
            }
            if seconds.is_none() && memchr(b'.', value).is_some() {
                seconds = millis(value);
            }
            if !field.quoted {
                suffixed = suffixed.or_else(|| with_unit(value));
                micros = micros.or_else(|| number(value.rsplit(|&byte| byte == b'/').next()?));
            }
        }
        trailer.took_ms = seconds.or(suffixed);
        if let (None, Some(micros)) = (trailer.took_ms, micros) {
            let took = u32::try_from(micros / 1000).unwrap_or(u32::MAX);
            (trailer.took_ms, trailer.since_logged_ms) = (Some(took), took);
        }
        trailer
    }
}

/// Splits a text that begins with a quoted part. Gives the part in the quotes and the text after them. `\"`
/// does not end the quoted part.
pub(crate) fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(b"\"")?;
    let mut from = 0;
    loop {
        let end = from + memchr(b'"', inner.get(from..)?)?;
        let escapes = inner[..end].iter().rev().take_while(|&&byte| byte == b'\\').count();
        if escapes % 2 == 0 {
            return Some((&inner[..end], &inner[end + 1..]));
        }
        from = end + 1;
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

/// A field without its quotes.
struct Field<'a> {
    text: &'a [u8],
    quoted: bool,
}

/// The fields of a text, between spaces. Spaces in quotes do not count.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let text = self.0.trim_ascii_start();
        if let Some((inner, rest)) = quoted(text) {
            self.0 = rest;
            return Some(Field { text: inner, quoted: true });
        }
        let end = memchr(b' ', text).unwrap_or(text.len());
        self.0 = &text[end..];
        (!text.is_empty()).then(|| Field { text: &text[..end], quoted: false })
    }
}

/// The right-most address, if the text is a list of addresses.
fn forwarded(value: &[u8]) -> Option<&str> {
    let last = last_forwarded(str::from_utf8(value).ok()?)?;
    last.parse::<IpAddr>().is_ok().then_some(last)
}

/// Reads `9ms` or `109us`, and gives whole milliseconds.
fn with_unit(value: &[u8]) -> Option<u32> {
    let whole = |digits, per_ms| Some(u32::try_from(number(digits)? / per_ms).unwrap_or(u32::MAX));
    match (value.strip_suffix(b"ms"), value.strip_suffix(b"us")) {
        (Some(digits), _) => whole(digits, 1),
        (_, Some(digits)) => whole(digits, 1000),
        _ => None,
    }
}
