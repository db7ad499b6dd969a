//! Version 1 of the header, which is one line of text (section 2.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Header, HeaderFault};

/// The beginning of the line.
pub(crate) const BEGIN: &[u8] = b"PROXY ";
/// The length of the longest line in bytes, its CRLF included.
const LINE_BYTES_MAX: usize = 107;

/// Reads a line that begins with [`BEGIN`] or a part of it, by the contract of [`super::parse`].
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, HeaderFault> {
    let within = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
    let Some(end) = within.windows(2).position(|pair| pair == b"\r\n") else {
        // A CR may be the last byte that has come. A lone LF, or a CR before another byte, never belongs
        // to the line.
        let bare = within.contains(&b'\n') || within.iter().rev().skip(1).any(|byte| *byte == b'\r');
        return match bare {
            true => Err(HeaderFault::Line),
            false if within.len() == LINE_BYTES_MAX => Err(HeaderFault::LongLine),
            false => Ok(None),
        };
    };
    let line = std::str::from_utf8(&bytes[BEGIN.len().min(end)..end]).map_err(|_| HeaderFault::Line)?;
    Ok(Some((header(line)?, end + 2)))
}

fn header(line: &str) -> Result<Header, HeaderFault> {
    if line.bytes().any(|byte| byte < b' ') {
        return Err(HeaderFault::Line);
    }
    // Any text may follow "UNKNOWN", and a receiver must ignore it.
    if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        return Ok(Header::Local);
    }
    let parts: Vec<&str> = line.split(' ').collect();
    let [family, source, destination, source_port, destination_port] = parts[..] else {
        return Err(HeaderFault::Line);
    };
    let address = |text: &str| -> Option<IpAddr> {
        match family {
            "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let end = |at: &str, port: &str| Some(SocketAddr::new(address(at)?, number(port)?));
    let source = end(source, source_port).ok_or(HeaderFault::Line)?;
    let destination = end(destination, destination_port).ok_or(HeaderFault::Line)?;
    Ok(Header::Proxied { source, destination })
}

/// Reads a port: digits without a leading zero, from 0 to 65535.
fn number(text: &str) -> Option<u16> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| text.parse().ok()).flatten()
}
