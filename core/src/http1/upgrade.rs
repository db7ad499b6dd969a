//! What a request asks to switch to (RFC 9110, 7.8).

use super::connection::list;
use super::request_line::is_token_byte;
use super::span::Span;

/// What a request asks to switch to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    #[default]
    None,
    /// To for h2c, TLS or another thing of this hop alone, or has a body: goes on as a plain
    /// request.
    Stripped,
    /// The protocol asked for, e.g. `websocket`; the request has no body.
    To(Span),
}

/// Takes the first protocol that is not of this hop alone.
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

/// Whether this can name a protocol: a token, or two with a `/` between.
pub fn is_protocol(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&byte| is_token_byte(byte) || byte == b'/')
}

/// h2c and h2 (RFC 9113, 3.1), TLS (RFC 2817) and HTTP itself: what is spoken on this connection
/// is not the origin's to change.
pub fn is_of_this_hop(protocol: &[u8]) -> bool {
    let name = protocol.split(|&byte| byte == b'/').next().unwrap_or_default();
    [b"h2c".as_slice(), b"h2", b"tls", b"http"].iter().any(|own| name.eq_ignore_ascii_case(own))
}
