//! The normal form of a host. Hosts are compared in this form alone.
//!
//! These hosts are accepted: a name of ASCII letters, digits, `-`, `_` and `.`, an IPv4 address, or an
//! IPv6 address in brackets. A `:` and a port may follow (RFC 9112, 3.2; RFC 3986, 3.2.2).
//!
//! These are refused: percent-encoding, sub-delimiters, zone ids, bytes over 0x7F (a name outside of
//! ASCII comes as its A-label), empty labels, and names over 253 bytes. RFC 3986 allows some of these.
//! But no DNS name holds them, and an origin may read each further byte in another way than the door
//! does. RFC 952 does not allow `_` in a host name, but real names have it, so it is accepted.

use std::io::{Cursor, Write};
use std::net::Ipv6Addr;

/// The fault of a text that can't be looked up as a host. It is empty or too long, or it has a bad port,
/// an empty label, or a character that no host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a host: a name of letters, digits, \"-\", \"_\" and dots, or an address, with at most a port")]
pub struct HostFault;

/// The longest name, in bytes of text without the final dot. It follows from the 255 bytes that RFC 1035,
/// 2.3.4, allows for a name on the wire.
const NAME_BYTES_MAX: usize = 253;

/// Brings a host into its normal form. That is lower case without a port and without a final dot. An IPv6
/// address stands in brackets in the form of RFC 5952. The function writes into `out` (at most 253
/// bytes), returns the used part, and allocates nothing.
///
/// # Errors
/// The bytes are not a host with at most a port.
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

/// Checks the text behind the colon. RFC 3986, 3.2.3, allows any number of digits, also no digit. Here the
/// number must be at most 65535 too.
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
