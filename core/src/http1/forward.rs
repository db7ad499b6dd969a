//! The request as the origin gets it: written anew, so that what it says about length, route and
//! client is what we understood, not what we were told.

use std::net::IpAddr;

use super::decimal::{write_address, write_decimal};
use super::field::{Field, FieldKind};
use super::framing::Framing;
use super::peer::Peer;
use super::request::RequestHead;
use super::target::TargetForm;
use super::upgrade::Upgrade;

/// What the origin is told beside what the client said.
#[derive(Clone, Copy, Debug)]
pub struct Forward<'a> {
    pub peer: &'a Peer,
    /// For `X-Real-IP`: [`super::client_address`].
    pub real_ip: IpAddr,
    /// Sent as Host when the client sent none (HTTP/1.0).
    pub fallback_host: &'a [u8],
    /// [`RequestHead::kept_request_id`], else a fresh one.
    pub request_id: &'a [u8],
    /// Whether the protocol that the client asked for is asked for of the origin.
    pub upgrade: bool,
}

/// Appends the head to `out`: HTTP/1.1, origin-form, the client's Host, its fields in their order
/// without those of the connection, then framing and our own.
///
/// The body follows as the head's framing says: `Content-Length` as parsed, or chunks.
pub fn write_request(head: &RequestHead, buf: &[u8], forward: &Forward<'_>, out: &mut Vec<u8>) {
    write_request_line(head, buf, out);
    let authority = head.authority.of(buf);
    let host = if authority.is_empty() { forward.fallback_host } else { authority };
    write_field(b"Host", host, out);
    for field in &head.fields {
        if passes(field.kind, forward.peer) && !head.connection.takes_away(buf, field) {
            write_field(field.name.of(buf), field.value.of(buf), out);
        }
    }
    match head.framing {
        Framing::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            write_decimal(length, out);
            out.extend_from_slice(b"\r\n");
        }
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Framing::None | Framing::ToEnd => {}
    }
    if let (true, Upgrade::To(protocol)) = (forward.upgrade, head.upgrade) {
        write_field(b"Connection", b"upgrade", out);
        write_field(b"Upgrade", protocol.of(buf), out);
    }
    write_forwarding(head, buf, host, forward, out);
    out.extend_from_slice(b"\r\n");
}

/// Whether a field goes on as it came. What is left out is of the connection, or is written anew.
fn passes(kind: FieldKind, peer: &Peer) -> bool {
    match kind {
        FieldKind::Shadow
        | FieldKind::Host
        | FieldKind::ContentLength
        | FieldKind::Expect
        | FieldKind::Forwarded
        | FieldKind::XForwardedFor
        | FieldKind::XRealIp
        | FieldKind::XRequestId
        | FieldKind::PreviewToken => false,
        FieldKind::XForwardedProto
        | FieldKind::XForwardedHost
        | FieldKind::XForwardedPort
        | FieldKind::XForwardedOther => peer.trusted,
        other => !other.is_hop_by_hop(),
    }
}

fn write_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn write_request_line(head: &RequestHead, buf: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(head.method_span.of(buf));
    out.push(b' ');
    let path = head.target.path.of(buf);
    match head.target.form {
        TargetForm::Asterisk => out.push(b'*'),
        TargetForm::Origin | TargetForm::Absolute => {
            if path.first() != Some(&b'/') {
                out.push(b'/');
            }
            if head.target.needs_encoding {
                write_encoded(path, |byte| byte >= 0x80, out);
            } else {
                out.extend_from_slice(path);
            }
        }
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
}

/// Percent-encodes the bytes that need it (RFC 3986, 2.1); the rest is left as it is.
pub fn write_encoded(path: &[u8], needs_encoding: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in path {
        if needs_encoding(byte) {
            out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        } else {
            out.push(byte);
        }
    }
}

/// The fields that say who asked, and how. A trusted peer's lists are appended to and its single
/// values kept; anyone else's were left out.
fn write_forwarding(head: &RequestHead, buf: &[u8], host: &[u8], forward: &Forward<'_>, out: &mut Vec<u8>) {
    let peer = forward.peer;
    // Connection can't take these away, so what a trusted peer gave has gone on.
    let given = |kind| peer.trusted && head.fields.iter().any(|field| field.kind == kind);
    begin_list(head, buf, peer, (FieldKind::XForwardedFor, b"X-Forwarded-For: "), out);
    write_address(peer.address, out);
    out.extend_from_slice(b"\r\n");
    if !given(FieldKind::XForwardedProto) {
        write_field(b"X-Forwarded-Proto", peer.scheme.as_str().as_bytes(), out);
    }
    if !given(FieldKind::XForwardedHost) {
        write_field(b"X-Forwarded-Host", host, out);
    }
    if !given(FieldKind::XForwardedPort) {
        out.extend_from_slice(b"X-Forwarded-Port: ");
        write_decimal(u64::from(peer.port), out);
        out.extend_from_slice(b"\r\n");
    }
    begin_list(head, buf, peer, (FieldKind::Forwarded, b"Forwarded: "), out);
    write_forwarded(peer, host, out);
    out.extend_from_slice(b"\r\nX-Real-IP: ");
    write_address(forward.real_ip, out);
    out.extend_from_slice(b"\r\n");
    write_field(b"X-Request-Id", forward.request_id, out);
}

/// Begins a line with what a trusted peer said in all of its lines of this kind.
fn begin_list(
    head: &RequestHead,
    buf: &[u8],
    peer: &Peer,
    (kind, name): (FieldKind, &[u8]),
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(name);
    if peer.trusted {
        let said = head.fields.iter().filter(|field: &&Field| field.kind == kind && !field.value.is_empty());
        for field in said {
            out.extend_from_slice(field.value.of(buf));
            out.extend_from_slice(b", ");
        }
    }
}

/// One element of `Forwarded` (RFC 7239, 4): IPv6 and a host with a port are quoted.
fn write_forwarded(peer: &Peer, host: &[u8], out: &mut Vec<u8>) {
    if peer.address.is_ipv6() {
        out.extend_from_slice(b"for=\"[");
        write_address(peer.address, out);
        out.extend_from_slice(b"]\"");
    } else {
        out.extend_from_slice(b"for=");
        write_address(peer.address, out);
    }
    let quote: &[u8] = if host.contains(&b':') { b"\"" } else { b"" };
    for part in [b";host=", quote, host, quote, b";proto=", peer.scheme.as_str().as_bytes()] {
        out.extend_from_slice(part);
    }
}
