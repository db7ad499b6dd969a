//! Reads HAProxy's HTTP log format (`option httplog`, HAProxy's configuration manual, section 8.2.3), with or
//! without the prefix that syslog adds:
//!
//! ```text
//! 10.0.1.2:33317 [24/Nov/2026:12:14:14.655] http-in shop/s1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET /index.html HTTP/1.1"
//! ```
//!
//! The lines of `option httpslog` have more fields after the request line.
//!
//! The time says when the request came. The fifth timer is the time from there to the end of the request. The
//! third timer (connect) and the fourth (response head) add up to greenlight's time to first byte.

use memchr::{memchr, memchr_iter, memrchr};

use crate::judge::Outcome;

use super::line::{Line, Parsed, client, number, outcome_of, route};
use super::stamp;

pub(crate) fn parse(line: &[u8]) -> Option<Parsed> {
    // The date is in this bracket. The `haproxy[123]` of syslog has another bracket.
    let open = memchr_iter(b'[', line)
        .find(|at| line.get(at + 3) == Some(&b'/') && line.get(at + 7) == Some(&b'/'))?;
    let close = open + memchr(b']', &line[open..])?;
    let began = stamp::common_millis(&line[open + 1..close])?;
    let before = line[..open].strip_suffix(b" ")?;
    let peer = before.rsplit(|&byte| byte == b' ').next()?;
    let address = peer.iter().rposition(|&byte| byte == b':').map_or(peer, |at| &peer[..at]);

    let mut fields = line.get(close + 2..)?.split(|&byte| byte == b' ');
    let _frontend = fields.next()?;
    let server = fields.next()?;
    let timers = Timers::read(fields.next()?)?;
    let status = fields.next()?;
    let status = if status == b"-1" { None } else { Some(u16::try_from(number(status)?).ok()?) };
    let _bytes = fields.next()?;
    let (_, _) = (fields.next()?, fields.next()?);
    let ended_as = fields.next()?;
    let route = quoted_last(line).and_then(route);

    let no_server = server.ends_with(b"/<NOSRV>");
    let outcome = match (ended_as.first()?, status) {
        // The client went away, HAProxy answered by itself, or HAProxy had no room.
        (b'C' | b'c' | b'P' | b'R' | b'L' | b'U' | b'K', _) => None,
        (b'S' | b's' | b'D', _) | (_, Some(503)) => Some(Outcome::Error),
        // No server was chosen, as for redirects and refusals of HAProxy's own.
        (_, _) if no_server => None,
        (_, status) => status.map(outcome_of),
    };
    let (Some(outcome), Some(route)) = (outcome, route) else { return Some(Parsed::NotCounted) };
    Some(Parsed::Counted(Line {
        ended_ms: began.saturating_add(i64::from(timers.all)),
        took_ms: timers.first_byte,
        client: client(address),
        outcome,
        route,
    }))
}

/// Times in milliseconds. `all` is the time to the end of the request.
struct Timers {
    first_byte: Option<u32>,
    all: u32,
}

impl Timers {
    /// Reads `TR/Tw/Tc/Tr/Ta`. A timer of -1 means that the request never came to that phase. A `+` before
    /// the last timer means that the request was not over when HAProxy wrote the line.
    fn read(text: &[u8]) -> Option<Self> {
        let mut parts = text.split(|&byte| byte == b'/').map(|part| {
            let part = part.strip_prefix(b"+").unwrap_or(part);
            if part == b"-1" { Some(None) } else { Some(Some(u32::try_from(number(part)?).ok()?)) }
        });
        let (_, _) = (parts.next()??, parts.next()??);
        let (connect, head) = (parts.next()??, parts.next()??);
        let all = parts.next()??.unwrap_or(0);
        let first_byte = connect.zip(head).map(|(connect, head)| connect.saturating_add(head));
        parts.next().is_none().then_some(Self { first_byte, all })
    }
}

/// The text in the last pair of quotes of the line. Captured headers before it may hold other quotes. HAProxy
/// writes a quote in the request line, or in a field after it, as `#22`.
fn quoted_last(line: &[u8]) -> Option<&[u8]> {
    let close = memrchr(b'"', line)?;
    let open = memrchr(b'"', &line[..close])?;
    Some(&line[open + 1..close])
}
