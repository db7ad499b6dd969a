//! Writing the head of a client's request for the origin. The head is written anew. So the length, the
//! host and the client's address that the origin reads are the ones that the door understood, and not
//! the client's own words about them.

use std::net::IpAddr;

use super::decimal::{write_address, write_decimal};
use super::field::{Field, FieldKind};
use super::framing::Framing;
use super::peer::Peer;
use super::request::RequestHead;
use super::target::TargetForm;
use super::upgrade::Upgrade;

/// The facts that the door adds to a client's request.
#[derive(Clone, Copy, Debug)]
pub struct Forward<'a> {
    /// The peer of the client's connection.
    pub peer: &'a Peer,
    /// The address for `X-Real-IP`, from [`super::client_address`].
    pub real_ip: IpAddr,
    /// The Host for the origin if the client sent none (HTTP/1.0).
    pub fallback_host: &'a [u8],
    /// The result of [`RequestHead::kept_request_id`], else a fresh id.
    pub request_id: &'a [u8],
    /// Whether the door asks the origin to switch to the protocol that the client asked for.
    pub upgrade: bool,
}

/// Appends the head of a request to `out`. The request line is HTTP/1.1 in origin-form. The client's
/// Host follows, then the client's fields in their order without those of its connection, then the
/// framing fields, and last the fields of the door.
///
/// The body must follow as `head.framing` says: exactly as many bytes as the parsed Content-Length, or
/// chunks.
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

/// Whether a field goes on unchanged. The others belong to the client's connection, or the door writes
/// them anew, or they must not reach an origin.
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

/// Appends a path to `out`, with each byte for which `needs_encoding` is true in percent-encoded form
/// (RFC 3986, 2.1).
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

/// Writes the fields that say who sent the request, and how. The door appends to the lists of a trusted
/// peer and keeps its single values. It has already left out the fields of any other peer.
fn write_forwarding(head: &RequestHead, buf: &[u8], host: &[u8], forward: &Forward<'_>, out: &mut Vec<u8>) {
    let peer = forward.peer;
    // A `Connection` line can't remove these fields. So a value of a trusted peer is already in `out`.
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

/// Begins a list field with the values of all lines of this kind that a trusted peer sent.
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

/// Writes one element of `Forwarded` (RFC 7239, 4). An IPv6 address and a host with a port are quoted.
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
