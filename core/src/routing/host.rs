//! A host in the one form in which hosts are compared.
//!
//! What is taken: a name of ASCII letters, digits, `-`, `_` and `.`, an IPv4 address, or an IPv6
//! address in brackets; then perhaps `:` and a port (RFC 9112 section 3.2, RFC 3986 section 3.2.2).
//! What is not: percent-encoding, sub-delimiters, zone ids, bytes over 0x7F (a name outside of
//! ASCII comes as its A-label), empty labels, names over 253 bytes. RFC 3986 would allow some of
//! these, but no DNS name holds them, and every byte more that is let through here is a byte that
//! an origin may read in another way than we do. `_` is no host-name character in RFC 952, but
//! real names have it.

use std::io::{Cursor, Write};
use std::net::Ipv6Addr;

/// A host that can't be looked up: empty, a bad port, a character that no host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a host: a name of letters, digits, \"-\", \"_\" and dots, or an address, with at most a port")]
pub struct HostFault;

/// The longest name, in bytes without the final dot (RFC 1035 section 2.3.4 as text).
const NAME_BYTES_MAX: usize = 253;

/// A host in the form it is compared in: lower case, no port, no final dot; an IPv6 address in
/// brackets in its shortest form (RFC 5952). Writes into `out` (at most 253 bytes) and returns the
/// part used. Allocates nothing.
pub fn normalize_host<'b>(host: &[u8], out: &'b mut [u8; 256]) -> Result<&'b [u8], HostFault> {
    if let [b'[', rest @ ..] = host {
        return normalize_v6(rest, out);
    }
    let name = match host.iter().position(|&byte| byte == b':') {
        Some(colon) => {
            check_port(&host[colon + 1..])?;
            &host[..colon]
        }
        None => host,
    };
    let name = name.strip_suffix(b".").unwrap_or(name);
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(HostFault);
    }
    // An empty label is a dot at the start, at the end, or after another dot.
    let mut before = b'.';
    for (to, &byte) in out.iter_mut().zip(name) {
        let legal = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !legal || (byte == b'.' && before == b'.') {
            return Err(HostFault);
        }
        *to = byte.to_ascii_lowercase();
        before = byte;
    }
    if before == b'.' { Err(HostFault) } else { Ok(&out[..name.len()]) }
}

fn normalize_v6<'b>(rest: &[u8], out: &'b mut [u8; 256]) -> Result<&'b [u8], HostFault> {
    let close = rest.iter().position(|&byte| byte == b']').ok_or(HostFault)?;
    match &rest[close + 1..] {
        [] => {}
        [b':', port @ ..] => check_port(port)?,
        _ => return Err(HostFault),
    }
    let text = std::str::from_utf8(&rest[..close]).map_err(|_| HostFault)?;
    let address: Ipv6Addr = text.parse().map_err(|_| HostFault)?;
    let mut cursor = Cursor::new(&mut out[..]);
    write!(cursor, "[{address}]").map_err(|_| HostFault)?;
    let used = usize::try_from(cursor.position()).map_err(|_| HostFault)?;
    Ok(&out[..used])
}

/// RFC 3986 section 3.2.3: digits, also none at all; we want a number that is a port.
fn check_port(digits: &[u8]) -> Result<(), HostFault> {
    let mut port = 0_u32;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err(HostFault);
        }
        port = port * 10 + u32::from(digit - b'0');
        if port > u32::from(u16::MAX) {
            return Err(HostFault);
        }
    }
    Ok(())
}
