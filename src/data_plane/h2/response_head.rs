//! A response's head, translated between HTTP/1.1, in which greenlight writes it, and HTTP/2.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode, Version, response};
use ring::digest;

use crate::http1::{Method, ResponseClass, ResponseHead, Span};

use super::relabel::STAND_INS;
use super::request_head::{self, Shapeless};

/// The salt of the handshake's proof. The proof is made of the client's key, this salt and nothing else
/// (RFC 6455, 4.2.2). It says that a server of WebSocket has answered, and not which one.
const ACCEPT_SALT: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The name of a field that only the handshake of HTTP/1.1 has (RFC 8441, 5).
const ACCEPT: &str = "sec-websocket-accept";

/// Makes an HTTP/2 response of a head that greenlight wrote, which is the first `head_bytes` of `buf`.
/// A switch of protocols is a 200 in HTTP/2.
pub(super) fn read(head: &ResponseHead, buf: &[u8], head_bytes: usize) -> Result<Response<()>, Shapeless> {
    let switches = head.class == ResponseClass::Switching;
    let mut response = Response::new(());
    *response.version_mut() = Version::HTTP_2;
    *response.status_mut() =
        if switches { StatusCode::OK } else { StatusCode::from_u16(head.status).map_err(|_| Shapeless)? };
    // All values share one allocation.
    let shared = Bytes::copy_from_slice(buf.get(..head_bytes).ok_or(Shapeless)?);
    let fields = response.headers_mut();
    fields.reserve(head.fields.len());
    for field in &head.fields {
        let name = field.name.of(buf);
        if field.kind.is_hop_by_hop() || (switches && name.eq_ignore_ascii_case(ACCEPT.as_bytes())) {
            continue;
        }
        let name = HeaderName::from_bytes(name).map_err(|_| Shapeless)?;
        let value = HeaderValue::from_maybe_shared(slice(&shared, field.value)).map_err(|_| Shapeless)?;
        fields.try_append(name, value).map_err(|_| Shapeless)?;
    }
    Ok(response)
}

fn slice(shared: &Bytes, span: Span) -> Bytes {
    let range = span.start as usize..span.end as usize;
    if range.end <= shared.len() { shared.slice(range) } else { Bytes::new() }
}

/// The framing of the body that follows an origin's head, in HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// There is no body.
    None,
    /// The head says the body's length.
    Length,
    Chunked,
}

/// Writes the head of an origin's final response in HTTP/1.1. Returns the framing of its body.
/// `trailers` says that the client takes trailers, and `tunnel` that the request asked for a tunnel.
/// `ended` says that the stream has ended with the
/// head.
pub(super) fn write(
    head: &response::Parts,
    (method, trailers, tunnel): (Method, bool, bool),
    ended: bool,
    out: &mut Vec<u8>,
) -> BodyFraming {
    let (status, fields) = (head.status, &head.headers);
    begin(status, fields, if tunnel { &STAND_INS } else { &[] }, out);
    let bodyless = method == Method::Head || matches!(status.as_u16(), 204 | 304);
    let by_chunks = trailers && !ended && !bodyless && !request_head::tells_length(fields);
    let mut has_length = false;
    for length in fields.get_all(CONTENT_LENGTH).iter().filter(|_| !by_chunks) {
        put(out, CONTENT_LENGTH.as_str().as_bytes(), length.as_bytes());
        has_length = true;
    }
    let framing = match (ended || bodyless, has_length) {
        (true, false) if !bodyless => {
            put(out, CONTENT_LENGTH.as_str().as_bytes(), b"0");
            BodyFraming::None
        }
        (true, _) => BodyFraming::None,
        (false, true) => BodyFraming::Length,
        (false, false) => {
            put(out, b"transfer-encoding", b"chunked");
            BodyFraming::Chunked
        }
    };
    out.extend_from_slice(b"\r\n");
    framing
}

/// Writes the head of an interim response.
pub(super) fn write_interim(status: StatusCode, fields: &HeaderMap, out: &mut Vec<u8>) {
    begin(status, fields, &[], out);
    out.extend_from_slice(b"\r\n");
}

/// Writes the 101 of a tunnel that the origin has opened. `key` is that of the client's handshake.
pub(super) fn write_switch(fields: &HeaderMap, protocol: &str, key: Option<&[u8]>, out: &mut Vec<u8>) {
    // The proof is that of the client's key. An origin's own one answers a key that it never got.
    let [first, second, third] = STAND_INS;
    begin(StatusCode::SWITCHING_PROTOCOLS, fields, &[ACCEPT, first, second, third], out);
    put(out, b"connection", b"upgrade");
    put(out, b"upgrade", protocol.as_bytes());
    if let Some(key) = key {
        put(out, ACCEPT.as_bytes(), accept(key).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// The proof in a WebSocket handshake (RFC 6455, 4.2.2).
pub(super) fn accept(key: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[key, ACCEPT_SALT].concat());
    BASE64_STANDARD.encode(digest)
}

/// Begins a head with all fields but the length and `left_out`.
fn begin(status: StatusCode, fields: &HeaderMap, left_out: &[&str], out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in fields {
        if name != CONTENT_LENGTH && !left_out.contains(&name.as_str()) {
            put(out, name.as_str().as_bytes(), value.as_bytes());
        }
    }
}

fn put(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}
