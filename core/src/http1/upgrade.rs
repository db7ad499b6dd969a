//! The protocol that a request asks to switch to (RFC 9110, 7.8).

use super::connection::list;
use super::request_line::is_token_byte;
use super::span::Span;

/// The protocol that a request asks to switch to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// The request does not ask to switch.
    #[default]
    None,
    /// The request asks for h2c, TLS or another protocol of this hop alone, or it has a body. It goes
    /// on as a plain request.
    Stripped,
    /// The request asks for this protocol, for example `websocket`, and has no body.
    To(Span),
}

/// Reads one `Upgrade` line. The first protocol that is not of this hop alone becomes the protocol of
/// the request.
pub(crate) fn note_upgrade(buf: &[u8], value: Span, upgrade: &mut Upgrade) {
    for token in list(buf, value) {
        if matches!(upgrade, Upgrade::To(_)) {
            return;
        }
        let protocol = token.of(buf);
        let passes = is_protocol(protocol) && !is_of_this_hop(protocol);
        *upgrade = if passes { Upgrade::To(token) } else { Upgrade::Stripped };
    }
}

/// Whether this can name a protocol. A name is a token, or two tokens with a `/` between them. The check
/// asks only for token bytes and `/`.
pub fn is_protocol(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&byte| is_token_byte(byte) || byte == b'/')
}

/// Whether a protocol concerns only the connection between the client and the door. These are h2c and h2
/// (RFC 9113, 3.1), TLS (RFC 2817) and HTTP itself. The origin can't change the protocol of that
/// connection.
pub fn is_of_this_hop(protocol: &[u8]) -> bool {
    let name = protocol.split(|&byte| byte == b'/').next().unwrap_or_default();
    [b"h2c".as_slice(), b"h2", b"tls", b"http"].iter().any(|own| name.eq_ignore_ascii_case(own))
}
