//! Reads the format `combined` of nginx and Apache. Many people append the request's time to it:
//!
//! ```text
//! 10.0.1.2 - - [24/Nov/2026:12:14:14 +0000] "GET /index.html HTTP/1.1" 200 2750 "-" "curl/8.5" 0.109
//! ```
//!
//! The time in brackets says when the request ended, in whole seconds. `0.109` is the time that the request
//! took, in seconds. It may also be `rt=0.109` or stand in quotes, and more text may follow it.

use memchr::memchr;

use super::line::{Line, Parsed, client, millis, number, outcome_of, route};
use super::stamp;

pub(crate) fn parse(line: &[u8]) -> Option<Parsed> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let address = &line[..memchr(b' ', line)?];
    let open = memchr(b'[', line)?;
    let close = open + memchr(b']', &line[open..])?;
    let ended_ms = stamp::common_millis(&line[open + 1..close])?;
    let (request, rest) = quoted(line.get(close + 2..)?)?;
    let mut fields = rest.strip_prefix(b" ")?.splitn(3, |&byte| byte == b' ');
    let status = u16::try_from(number(fields.next()?)?).ok()?;
    let bytes = fields.next()?;
    if bytes != b"-" {
        number(bytes)?;
    }
    // nginx logs 499 for a client that went away. Without a request line, the client never sent a request.
    let route = route(request).filter(|_| status != 499 && status != 0);
    let Some(route) = route else { return Some(Parsed::NotCounted) };
    let took_ms = fields.next().and_then(after_user_agent).and_then(request_time);
    Some(Parsed::Counted(Line {
        ended_ms,
        took_ms,
        client: client(address),
        outcome: outcome_of(status),
        route,
    }))
}

/// Splits a text that begins with a quoted part. Gives the part in the quotes and the text after them. `\"`
/// does not end the quoted part.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
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

/// The text after `"referer" "user agent" `.
fn after_user_agent(rest: &[u8]) -> Option<&[u8]> {
    let (_referer, rest) = quoted(rest)?;
    let (_agent, rest) = quoted(rest.strip_prefix(b" ")?)?;
    rest.strip_prefix(b" ")
}

/// Reads the first field as a time in seconds with decimals, and gives milliseconds. `None` if it is no time.
fn request_time(rest: &[u8]) -> Option<u32> {
    let field = rest.split(|&byte| byte == b' ').next()?;
    let value = field.rsplit(|&byte| byte == b'=').next()?;
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    memchr(b'.', value)?;
    millis(value)
}
