//! A request's head. It is translated from HTTP/2 to HTTP/1.1, in which everything is checked, and from
//! there to HTTP/2 for an origin that speaks it.
//!
//! No rule exists twice. If h2 lets a head through, it is written as the client sent it (two `host`
//! fields, an authority that differs from `host`, CONNECT). The one parser then refuses it by the one
//! set of rules. Only a head that has no shape in HTTP/1.1 is refused here.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use h2::ext::Protocol;
use http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER,
};
use http::uri::{Authority, PathAndQuery, Scheme as UriScheme, Uri};
use http::{Method, Request, request};

use crate::http1::{
    FieldKind, Framing, HeadLimits, RequestFault, RequestHead, Scheme, Upgrade, is_grpc, is_of_this_hop,
    is_protocol, same_authority, write_encoded,
};

/// The name of a field that only the handshake of HTTP/1.1 has (RFC 8441, 5).
const KEY: &str = "sec-websocket-key";

/// A head in HTTP/1.1, and the parts of it that greenlight has added.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Http1Head {
    pub text: Vec<u8>,
    /// The number of fields that greenlight has added. They count for no limit.
    pub added_fields: usize,
    /// The number of bytes that greenlight has added. They count for no limit.
    pub added_bytes: usize,
    /// The body follows in chunks.
    pub chunked: bool,
}

impl Http1Head {
    /// The client's limits, enlarged by greenlight's additions.
    pub(super) fn limits(&self, limits: &HeadLimits) -> HeadLimits {
        HeadLimits {
            block_bytes_max: limits.block_bytes_max.saturating_add(self.added_bytes),
            fields_max: limits.fields_max.saturating_add(self.added_fields),
            ..*limits
        }
    }

    fn add(&mut self, name: &str, value: &[u8]) {
        self.added_bytes += value.len();
        self.add_name(name, value);
    }

    /// The same for a value that came from the client, and so counts for its limits.
    fn add_name(&mut self, name: &str, value: &[u8]) {
        self.added_fields += 1;
        self.added_bytes += name.len() + 4;
        put(&mut self.text, name.as_bytes(), value);
    }
}

/// Writes a client's request in HTTP/1.1. `has_body` says that its stream has not ended with the head.
/// `nonce` makes the key of a WebSocket handshake.
///
/// # Errors
/// The head has no shape in HTTP/1.1.
pub(super) fn write(
    head: &request::Parts,
    has_body: bool,
    scheme: Scheme,
    nonce: [u8; 16],
) -> Result<Http1Head, RequestFault> {
    let protocol = head.extensions.get::<Protocol>();
    if let Some(protocol) = protocol {
        check_protocol(protocol.as_ref())?;
    }
    let chunked = protocol.is_none() && has_body && !tells_length(&head.headers);
    let mut written = Http1Head { text: Vec::with_capacity(512), added_fields: 0, added_bytes: 0, chunked };
    write_line(head, protocol.is_some(), scheme, &mut written.text)?;
    if let (Some(authority), false) = (head.uri.authority(), head.headers.contains_key(HOST)) {
        put(&mut written.text, b"host", authority.as_str().as_bytes());
    }
    let mut cookies = Vec::new();
    for (name, value) in &head.headers {
        let bytes = value.as_bytes();
        // RFC 9113, 8.2.1 forbids it. HTTP/1.1 would take it for the white space around the value.
        if bytes.trim_ascii().len() != bytes.len() {
            return Err(RequestFault::FieldValue);
        }
        if name == COOKIE {
            // All cookies become one field (RFC 9113, 8.2.3).
            cookies.extend_from_slice(if cookies.is_empty() { b"" } else { b"; " });
            cookies.extend_from_slice(bytes);
        } else if !((protocol.is_some() || chunked) && name == CONTENT_LENGTH
            || protocol.is_some() && name == KEY)
        {
            put(&mut written.text, name.as_str().as_bytes(), bytes);
        }
    }
    if !cookies.is_empty() {
        put(&mut written.text, COOKIE.as_str().as_bytes(), &cookies);
    }
    if let Some(protocol) = protocol {
        written.add("connection", b"upgrade");
        written.add_name("upgrade", protocol.as_ref());
        if protocol.as_str().eq_ignore_ascii_case("websocket") {
            written.add(KEY, BASE64_STANDARD.encode(nonce).as_bytes());
        }
    } else if chunked {
        written.add("transfer-encoding", b"chunked");
    }
    written.text.extend_from_slice(b"\r\n");
    Ok(written)
}

/// h2 checks no byte of `:protocol`, which becomes a field in HTTP/1.1.
fn check_protocol(protocol: &[u8]) -> Result<(), RequestFault> {
    if !is_protocol(protocol) {
        Err(RequestFault::FieldValue)
    } else if is_of_this_hop(protocol) {
        Err(RequestFault::Protocol)
    } else {
        Ok(())
    }
}

/// Whether the length of a body is passed on as the peer has sent it. It is not passed on if trailers
/// are to be expected behind the body (RFC 9110, 6.6.2; gRPC's status), because HTTP/1.1 has trailers
/// only behind chunks. h2 checks that the body has that length. (Two lengths are passed on, and the
/// parser refuses them.)
pub(super) fn tells_length(fields: &HeaderMap) -> bool {
    let trailers = || {
        let content_type = fields.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        fields.contains_key(TRAILER) || content_type.is_some_and(is_grpc)
    };
    match fields.get_all(CONTENT_LENGTH).iter().count() {
        0 => false,
        1 => !trailers(),
        _ => true,
    }
}

/// Writes the first line. If there is both an authority and a `host`, the line is in absolute-form, in
/// which the parser compares the two.
fn write_line(
    head: &request::Parts,
    is_extended: bool,
    scheme: Scheme,
    out: &mut Vec<u8>,
) -> Result<(), RequestFault> {
    let is_connect = head.method == Method::CONNECT;
    let method = if is_extended { "GET" } else { head.method.as_str() };
    out.extend_from_slice(method.as_bytes());
    out.push(b' ');
    let path = head.uri.path_and_query().map_or("", PathAndQuery::as_str);
    let is_asterisk = path == "*" && head.method == Method::OPTIONS;
    if is_connect && !is_extended && head.uri.authority().is_none() {
        return Err(RequestFault::Authority);
    } else if is_connect && !is_extended {
        // The parser refuses it for its method.
        out.push(b'*');
    } else if !path.starts_with('/') && !is_asterisk {
        return Err(RequestFault::Target);
    } else if is_asterisk && hosts_differ(head, scheme) {
        return Err(RequestFault::AuthorityDiffers);
    } else if let (Some(authority), true, false) =
        (head.uri.authority(), head.headers.contains_key(HOST), is_asterisk)
    {
        for part in [scheme.as_str(), "://", authority.as_str(), path] {
            out.extend_from_slice(part.as_bytes());
        }
    } else {
        out.extend_from_slice(path.as_bytes());
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    Ok(())
}

/// Whether `:authority` differs from the first `host`, if both are there.
fn hosts_differ(head: &request::Parts, scheme: Scheme) -> bool {
    let authority = head.uri.authority().map(|authority| authority.as_str().as_bytes());
    let host = head.headers.get(HOST).map(HeaderValue::as_bytes);
    authority.zip(host).is_some_and(|(one, other)| !same_authority(one, other, scheme.default_port()))
}

fn put(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// A head in the form in which it goes to an origin that speaks HTTP/2.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub request: Request<()>,
    /// The protocol of the tunnel that the request asks for (RFC 8441, 4); `None` if it asks for none.
    pub tunnel: Option<Box<str>>,
    /// The key of a WebSocket handshake, if the client made one.
    pub key: Option<Vec<u8>>,
    pub framing: Framing,
}

/// Why a head can't go over HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request has no shape in HTTP/2")]
pub(super) struct Shapeless;

/// Makes an HTTP/2 request of a head that greenlight wrote. `trailers` says that the client takes
/// trailers.
///
/// # Errors
/// The head has no shape in HTTP/2.
pub(super) fn read(
    head: &RequestHead,
    buf: &[u8],
    scheme: Scheme,
    trailers: bool,
) -> Result<Outgoing, Shapeless> {
    let tunnel = match head.upgrade {
        Upgrade::To(protocol) => Some(text(protocol.of(buf))?.to_ascii_lowercase().into_boxed_str()),
        Upgrade::None | Upgrade::Stripped => None,
    };
    let mut request = Request::new(());
    *request.version_mut() = http::Version::HTTP_2;
    *request.method_mut() = if tunnel.is_some() {
        Method::CONNECT
    } else {
        Method::from_bytes(head.method_span.of(buf)).map_err(|_| Shapeless)?
    };
    *request.uri_mut() = uri(head, buf, scheme)?;
    let mut key = None;
    let fields = request.headers_mut();
    fields.reserve(head.fields.len());
    for field in &head.fields {
        let (name, value) = (field.name.of(buf), field.value.of(buf));
        if field.kind.is_hop_by_hop() || field.kind == FieldKind::Host {
            continue;
        }
        if tunnel.is_some() && name.eq_ignore_ascii_case(KEY.as_bytes()) {
            key = Some(value.to_vec());
            continue;
        }
        append(fields, name, value)?;
    }
    if trailers {
        fields.insert(TE, HeaderValue::from_static("trailers"));
    }
    if let Some(protocol) = &tunnel {
        request.extensions_mut().insert(Protocol::from(&**protocol));
    }
    Ok(Outgoing { request, tunnel, key, framing: head.framing })
}

/// Adds a field. Its name becomes lower case, as h2 wants it.
pub(super) fn append(fields: &mut HeaderMap, name: &[u8], value: &[u8]) -> Result<(), Shapeless> {
    let name = HeaderName::from_bytes(name).map_err(|_| Shapeless)?;
    let value = HeaderValue::from_bytes(value).map_err(|_| Shapeless)?;
    fields.try_append(name, value).map_err(|_| Shapeless)?;
    Ok(())
}

fn uri(head: &RequestHead, buf: &[u8], scheme: Scheme) -> Result<Uri, Shapeless> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(match scheme {
        Scheme::Http => UriScheme::HTTP,
        Scheme::Https => UriScheme::HTTPS,
    });
    parts.authority = Some(Authority::try_from(head.authority.of(buf)).map_err(|_| Shapeless)?);
    let path = head.target.path.of(buf);
    let path = PathAndQuery::try_from(path).or_else(|_| PathAndQuery::try_from(encoded(path)));
    parts.path_and_query = Some(path.map_err(|_| Shapeless)?);
    Uri::from_parts(parts).map_err(|_| Shapeless)
}

/// A target in which four characters are percent-encoded that no URI has (RFC 3986, 2). HTTP/1.1 passes
/// them as they are, but the type that h2 takes refuses them.
fn encoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 16);
    write_encoded(path, |byte| matches!(byte, b'"' | b'<' | b'>' | b'`'), &mut out);
    out
}

fn text(bytes: &[u8]) -> Result<&str, Shapeless> {
    std::str::from_utf8(bytes).map_err(|_| Shapeless)
}
