//! Reads the format `combined` of nginx and Apache, and the logs that people make of it:
//!
//! ```text
//! 10.0.1.2 - - [24/Nov/2026:12:14:14 +0000] "GET /index.html HTTP/1.1" 200 2750 "-" "curl/8.5" 0.109
//! shop.example.org:443 10.0.1.2 - - [24/Nov/2026:12:14:14 +0000] "GET /index.html HTTP/1.1" 200 2750 "-" "curl/8.5"
//! ```
//!
//! The name of a virtual host or the prefix of syslog may stand before the client. The module `trailer` reads
//! the fields after the user agent.
//!
//! nginx writes the time at which the request ended. Apache writes the time at which it came, and a time in
//! microseconds (`%D`) says when it ended.

use std::net::IpAddr;

use memchr::memchr;

use super::line::{Line, Parsed, behind_proxy, client, number, outcome_of, route};
use super::stamp;
use super::trailer::{Trailer, quoted};

pub(crate) fn parse(line: &[u8]) -> Option<Parsed> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // The date is in this bracket. An IPv6 address or the `nginx[123]` of syslog may be in another one.
    let open = memchr::memchr_iter(b'[', line)
        .find(|at| line.get(at + 3) == Some(&b'/') && line.get(at + 7) == Some(&b'/'))?;
    let close = open + memchr(b']', &line[open..])?;
    let logged_ms = stamp::common_millis(&line[open + 1..close])?;
    let address = address(line[..open].strip_suffix(b" ")?)?;
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
    let trailer = fields.next().map(Trailer::read).unwrap_or_default();
    let address = match (trailer.forwarded, str::from_utf8(address)) {
        (Some(forwarded), Ok(peer)) => behind_proxy(peer, Some(forwarded)).as_bytes(),
        _ => address,
    };
    Some(Parsed::Counted(Line {
        ended_ms: logged_ms.saturating_add(i64::from(trailer.since_logged_ms)),
        took_ms: trailer.took_ms,
        client: client(address),
        outcome: outcome_of(status),
        route,
    }))
}

/// The client's address, of the fields before the time: `CLIENT - USER`, with more fields before them or not.
fn address(before: &[u8]) -> Option<&[u8]> {
    const FIELDS_MAX: usize = 16;
    let fields = || before.split(|&byte| byte == b' ').filter(|field| !field.is_empty()).take(FIELDS_MAX);
    let is_address = |field: &&[u8]| str::from_utf8(field).is_ok_and(|text| text.parse::<IpAddr>().is_ok());
    let first = fields().next()?;
    if fields().nth(1) == Some(b"-".as_slice()) && first != b"-" {
        return Some(first);
    }
    // The field before the identity of RFC 1413, which is `-` nearly always.
    let named = fields().skip(1).zip(fields().skip(2)).find(|(_, next)| *next == b"-");
    named.map(|(field, _)| field).filter(is_address).or_else(|| fields().find(is_address)).or(Some(first))
}
