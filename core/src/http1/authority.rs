//! Host and port, as they stand in a `Host` field and in an absolute-form target (RFC 3986, 3.2).

use std::net::Ipv6Addr;

/// Whether a byte may stand in a name or an IPv4 address. `_` is accepted, because real names have it
/// though no host name should. `%`, `~` and the sub-delims are refused. RFC 3986 allows them, but
/// clients send them only to confuse a parser.
const fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_')
}

/// Splits an authority into host and port. A colon inside an IPv6 literal does not begin a port.
fn split(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let from = authority.iter().rposition(|&byte| byte == b']').unwrap_or(0);
    match authority[from..].iter().position(|&byte| byte == b':') {
        Some(colon) => (&authority[..from + colon], Some(&authority[from + colon + 1..])),
        None => (authority, None),
    }
}

/// The host of an authority, without the port and one final dot. The case is unchanged.
pub fn host_of(authority: &[u8]) -> &[u8] {
    let host = split(authority).0;
    host.strip_suffix(b".").unwrap_or(host)
}

/// Whether an authority has the form `host`, `host:` or `host:port`, without userinfo. The host is a
/// name, an IPv4 address, or an IPv6 address in brackets. A name has at most 255 bytes and no empty
/// label, but one final dot is legal. The port is a number of up to 65535 with at most 5 digits.
pub(crate) fn valid_authority(authority: &[u8]) -> bool {
    let (host, port) = split(authority);
    if let Some(port) = port
        && !valid_port(port)
    {
        return false;
    }
    if let Some(literal) = host.strip_prefix(b"[") {
        let inner = literal.strip_suffix(b"]").and_then(|inner| std::str::from_utf8(inner).ok());
        return inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.strip_suffix(b".").unwrap_or(host);
    let mut label_empty = true;
    for &byte in name {
        if !is_name_byte(byte) || (byte == b'.' && label_empty) {
            return false;
        }
        label_empty = byte == b'.';
    }
    !label_empty && name.len() <= 255
}

fn valid_port(port: &[u8]) -> bool {
    port.len() <= 5 && port.iter().all(u8::is_ascii_digit) && (port.is_empty() || port_number(port).is_some())
}

fn port_number(port: &[u8]) -> Option<u16> {
    std::str::from_utf8(port).ok()?.parse().ok()
}

/// Whether two authorities have the same host and the same port. Case and one final dot do not matter. A
/// missing or empty port counts as `default_port`.
pub fn same_authority(left: &[u8], right: &[u8], default_port: u16) -> bool {
    let port = |authority| match split(authority).1 {
        None | Some([]) => Some(default_port),
        Some(port) => port_number(port),
    };
    host_of(left).eq_ignore_ascii_case(host_of(right)) && port(left) == port(right)
}
