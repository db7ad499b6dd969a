//! Field names that mean something to a proxy, told apart once, when the head is parsed.

use super::span::Span;

/// What a field is to us. Everything that is not listed is [`FieldKind::Other`] and passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum FieldKind {
    #[default]
    Other,
    /// A name with `_` that with `-` in its place is one of the names below: an origin that maps
    /// both to one variable (CGI, WSGI, PHP) would take it for ours. Never passed on.
    Shadow,
    Host,
    Connection,
    ContentLength,
    TransferEncoding,
    Te,
    Trailer,
    Upgrade,
    KeepAlive,
    ProxyConnection,
    ProxyAuthenticate,
    ProxyAuthorization,
    Http2Settings,
    Expect,
    Authorization,
    Cookie,
    Via,
    Traceparent,
    Forwarded,
    XForwardedFor,
    XForwardedProto,
    XForwardedHost,
    XForwardedPort,
    /// Any other name that begins with `x-forwarded-`.
    XForwardedOther,
    XRealIp,
    XRequestId,
    /// `X-Greenlight-Preview`: a token for us, which no origin is to see.
    PreviewToken,
    ContentType,
    Date,
}

/// `lower` in any case, with `_` taken for `-`.
fn folds_to(name: &[u8], lower: &[u8]) -> bool {
    name.len() == lower.len() && name.iter().zip(lower).all(|(&byte, &want)| fold(byte) == want)
}

const fn fold(byte: u8) -> u8 {
    match byte {
        b'_' => b'-',
        other => other.to_ascii_lowercase(),
    }
}

impl FieldKind {
    /// Names are told apart by their length first: of the 30 or so lengths that occur a dozen
    /// hold a candidate, so most fields cost one jump.
    pub fn of(name: &[u8]) -> Self {
        match Self::folded(name) {
            Self::Other => Self::Other,
            kind if !name.contains(&b'_') => kind,
            // Names that only tell us something: an origin may read them as it likes.
            Self::ContentType | Self::Date => Self::Other,
            _ => Self::Shadow,
        }
    }

    fn folded(name: &[u8]) -> Self {
        let candidates: &[(&[u8], Self)] = match name.len() {
            2 => &[(b"te", Self::Te)],
            3 => &[(b"via", Self::Via)],
            4 => &[(b"host", Self::Host), (b"date", Self::Date)],
            6 => &[(b"cookie", Self::Cookie), (b"expect", Self::Expect)],
            7 => &[(b"upgrade", Self::Upgrade), (b"trailer", Self::Trailer)],
            9 => &[(b"x-real-ip", Self::XRealIp), (b"forwarded", Self::Forwarded)],
            10 => &[(b"connection", Self::Connection), (b"keep-alive", Self::KeepAlive)],
            11 => &[(b"traceparent", Self::Traceparent)],
            12 => &[(b"content-type", Self::ContentType), (b"x-request-id", Self::XRequestId)],
            13 => &[(b"authorization", Self::Authorization)],
            14 => &[(b"content-length", Self::ContentLength), (b"http2-settings", Self::Http2Settings)],
            15 => &[(b"x-forwarded-for", Self::XForwardedFor)],
            16 => &[
                (b"x-forwarded-host", Self::XForwardedHost),
                (b"x-forwarded-port", Self::XForwardedPort),
                (b"proxy-connection", Self::ProxyConnection),
            ],
            17 => &[
                (b"transfer-encoding", Self::TransferEncoding),
                (b"x-forwarded-proto", Self::XForwardedProto),
            ],
            18 => &[(b"proxy-authenticate", Self::ProxyAuthenticate)],
            19 => &[(b"proxy-authorization", Self::ProxyAuthorization)],
            20 => &[(b"x-greenlight-preview", Self::PreviewToken)],
            _ => &[],
        };
        for &(lower, kind) in candidates {
            if folds_to(name, lower) {
                return kind;
            }
        }
        if name.len() > 12 && fold(name[0]) == b'x' && folds_to(&name[..12], b"x-forwarded-") {
            return Self::XForwardedOther;
        }
        Self::Other
    }

    /// Fields of one connection, never passed on (RFC 9110, 7.6.1, and the ones that are sent
    /// as if they were).
    pub const fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::TransferEncoding
                | Self::Te
                | Self::Trailer
                | Self::Upgrade
                | Self::KeepAlive
                | Self::ProxyConnection
                | Self::ProxyAuthenticate
                | Self::ProxyAuthorization
                | Self::Http2Settings
        )
    }

    /// Fields that a `Connection` line can't take away: a client could else make the origin blind
    /// for who asks, from where, or for how long the body is.
    pub const fn is_protected(self) -> bool {
        matches!(
            self,
            Self::Host
                | Self::ContentLength
                | Self::TransferEncoding
                | Self::Authorization
                | Self::Cookie
                | Self::Via
                | Self::Traceparent
                | Self::Forwarded
                | Self::XForwardedFor
                | Self::XForwardedProto
                | Self::XForwardedHost
                | Self::XForwardedPort
                | Self::XForwardedOther
        )
    }
}

/// One field line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// As it was sent: case is kept.
    pub name: Span,
    /// Without the white space around it; may be empty.
    pub value: Span,
    pub kind: FieldKind,
}
