//! The response as the client gets it.

use super::connection::Persistence;
use super::decimal::write_decimal;
use super::field::FieldKind;
use super::framing::Framing;
use super::method::Method;
use super::request::RequestHead;
use super::response::{ResponseClass, ResponseHead};
use super::version::Version;

/// How an answer goes to its client.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The client's version.
    pub version: Version,
    pub method: Method,
    /// Whether we keep the client's connection.
    pub persistence: Persistence,
    /// Put in if the response has none (RFC 9110, 6.6.1): an IMF-fixdate.
    pub date: Option<&'a [u8]>,
    /// Our own fields, added last. Names and values must be valid; they are ours.
    pub extra: &'a [(&'a str, &'a str)],
}

impl<'a> Answer<'a> {
    /// To this request, which says itself whether the connection is kept.
    pub fn to(head: &RequestHead, extra: &'a [(&'a str, &'a str)]) -> Self {
        Self { version: head.version, method: head.method, persistence: head.persistence, date: None, extra }
    }
}

/// How the body goes to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// There is none.
    Nothing,
    /// As it comes; `Content-Length` was sent.
    Raw,
    /// In chunks.
    Chunked,
    /// As it comes, and its end is our close: the connection can't be kept.
    ToEnd,
}

/// Appends the head of a final response, or of a 101, to `out` and says how the body is to follow.
///
/// Fields of the origin's connection are left out. To HTTP/1.0 no chunks are sent: a body of
/// unknown length ends with the connection.
pub fn write_response(head: &ResponseHead, buf: &[u8], answer: &Answer<'_>, out: &mut Vec<u8>) -> Sending {
    write_status(head, buf, out);
    write_fields(head, buf, out);
    let sending = match (head.framing, answer.version) {
        (Framing::None, _) => Sending::Nothing,
        (Framing::Length(_), _) => Sending::Raw,
        (Framing::Chunked | Framing::ToEnd, Version::Http11) => Sending::Chunked,
        (Framing::Chunked | Framing::ToEnd, Version::Http10) => Sending::ToEnd,
    };
    write_framing(head, answer, sending, out);
    if head.class == ResponseClass::Switching {
        out.extend_from_slice(b"Connection: upgrade\r\nUpgrade: ");
        out.extend_from_slice(head.upgrade.of(buf));
        out.extend_from_slice(b"\r\n");
    } else {
        let persistence = if sending == Sending::ToEnd { Persistence::Close } else { answer.persistence };
        write_persistence(persistence, answer.version, out);
    }
    if let (Some(date), false) = (answer.date, head.has_date) {
        out.extend_from_slice(b"Date: ");
        out.extend_from_slice(date);
        out.extend_from_slice(b"\r\n");
    }
    write_extra(answer.extra, out);
    out.extend_from_slice(b"\r\n");
    sending
}

/// Appends a 103's head to `out`; for HTTP/1.1 clients only. Says whether it was one.
pub fn write_informational(head: &ResponseHead, buf: &[u8], client: Version, out: &mut Vec<u8>) -> bool {
    let passes = head.status == 103 && client == Version::Http11;
    if passes {
        write_status(head, buf, out);
        write_fields(head, buf, out);
        out.extend_from_slice(b"\r\n");
    }
    passes
}

/// Ours is always 1.1 (RFC 9110, 2.5), whatever the client's is.
fn write_status(head: &ResponseHead, buf: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    write_decimal(u64::from(head.status), out);
    out.push(b' ');
    out.extend_from_slice(head.reason.of(buf));
    out.extend_from_slice(b"\r\n");
}

fn write_fields(head: &ResponseHead, buf: &[u8], out: &mut Vec<u8>) {
    for field in &head.fields {
        let ours = field.kind.is_hop_by_hop() || field.kind == FieldKind::ContentLength;
        if ours || head.connection.takes_away(buf, field) {
            continue;
        }
        for part in [field.name.of(buf), b": ", field.value.of(buf), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}

fn write_framing(head: &ResponseHead, answer: &Answer<'_>, sending: Sending, out: &mut Vec<u8>) {
    let length = match (sending, head.content_length) {
        // What a GET would have had (RFC 9110, 8.6); 1xx and 204 must not have any.
        (Sending::Nothing, length) if answer.method == Method::Head || head.status == 304 => {
            length.filter(|_| !matches!(head.status, 100..=199 | 204))
        }
        (Sending::Raw, length) => length,
        _ => None,
    };
    if let Some(length) = length {
        out.extend_from_slice(b"Content-Length: ");
        write_decimal(length, out);
        out.extend_from_slice(b"\r\n");
    }
    if sending == Sending::Chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
}

/// Said only where it is not what the version means anyway (RFC 9112, 9.3).
pub(crate) fn write_persistence(persistence: Persistence, client: Version, out: &mut Vec<u8>) {
    match (persistence, client) {
        (Persistence::Close, _) => out.extend_from_slice(b"Connection: close\r\n"),
        (Persistence::KeepAlive, Version::Http10) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        (Persistence::KeepAlive, Version::Http11) => {}
    }
}

pub(crate) fn write_extra(extra: &[(&str, &str)], out: &mut Vec<u8>) {
    for (name, value) in extra {
        for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}
