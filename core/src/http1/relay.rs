//! Writing the head of an origin's response for the client.

use super::connection::Persistence;
use super::decimal::write_decimal;
use super::field::FieldKind;
use super::framing::Framing;
use super::method::Method;
use super::request::RequestHead;
use super::response::{ResponseClass, ResponseHead};
use super::version::Version;

/// The facts about a client and its request that decide how an answer is written.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The version of the client's request.
    pub version: Version,
    /// The method of the client's request. An answer to HEAD has no body.
    pub method: Method,
    /// Whether the door keeps the client's connection.
    pub persistence: Persistence,
    /// The present time as an IMF-fixdate (RFC 9110, 5.6.7). It becomes the `Date` of an answer that
    /// has none (RFC 9110, 6.6.1).
    pub date: Option<&'a [u8]>,
    /// Fields of the door, as `(name, value)`. They come last. They are written without a check, so
    /// the door must give valid names and values.
    pub extra: &'a [(&'a str, &'a str)],
}

impl<'a> Answer<'a> {
    /// The answer to this request, without a date. The request decides whether the connection is kept.
    pub fn to(head: &RequestHead, extra: &'a [(&'a str, &'a str)]) -> Self {
        Self { version: head.version, method: head.method, persistence: head.persistence, date: None, extra }
    }
}

/// How the body follows the head to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// No body follows.
    Nothing,
    /// The payload follows unchanged. Its length is in the `Content-Length` of the head.
    Raw,
    /// The payload follows in chunks.
    Chunked,
    /// The payload follows unchanged, and the door closes the connection at its end. So the connection
    /// can't be kept.
    ToEnd,
}

/// Appends the head of a final response, or of a 101, to `out`. Returns how the body must follow.
///
/// The fields of the origin's connection are left out. An HTTP/1.0 client gets no chunks. A body of
/// unknown length ends with the client's connection in that case.
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

/// Appends the head of an interim response to `out` if the client speaks HTTP/1.1. Returns whether it
/// did. HTTP/1.0 has no interim responses, so a client of that version gets none (RFC 9110, 15.2).
pub fn write_informational(head: &ResponseHead, buf: &[u8], client: Version, out: &mut Vec<u8>) -> bool {
    let passes = client == Version::Http11;
    if passes {
        write_status(head, buf, out);
        write_fields(head, buf, out);
        out.extend_from_slice(b"\r\n");
    }
    passes
}

/// Writes the status line. The door always says HTTP/1.1, its own version, whatever version the client
/// speaks (RFC 9110, 2.5).
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
        // On HEAD and 304 this is the length that the answer to a GET would have (RFC 9110, 8.6). A
        // 1xx or a 204 must not have a Content-Length.
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

/// Writes a `Connection` line, but not where the line would say what the client's version already
/// implies (RFC 9112, 9.3).
pub(crate) fn write_persistence(persistence: Persistence, client: Version, out: &mut Vec<u8>) {
    match (persistence, client) {
        (Persistence::Close, _) => out.extend_from_slice(b"Connection: close\r\n"),
        (Persistence::KeepAlive, Version::Http10) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        (Persistence::KeepAlive, Version::Http11) => {}
    }
}

/// Writes fields of the door without a check.
pub(crate) fn write_extra(extra: &[(&str, &str)], out: &mut Vec<u8>) {
    for (name, value) in extra {
        for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}
