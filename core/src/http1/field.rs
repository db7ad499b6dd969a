//! Field names that mean something to a proxy. The parser looks up the kind of each field once, while
//! it reads the head.

use super::span::Span;

/// The kind of a field, as far as the door treats fields differently. Every name that is not listed is
/// [`FieldKind::Other`] and passes unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum FieldKind {
    #[default]
    Other,
    /// A name with `_` that would be one of the names below with `-` in its place. An origin that
    /// maps both names to one variable (CGI, WSGI, PHP) would take it for the field that the door
    /// writes. The door never passes it on.
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
    /// `X-Greenlight-Preview`. It holds a token for the door, and no origin may see it.
    PreviewToken,
    ContentType,
    Date,
}

/// Whether `name` equals `lower` if case is ignored and `_` counts as `-`.
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
    /// The kind of a field name, in any case. The length of a name is compared first. About a dozen
    /// of the 30 or so lengths that occur have a candidate, so most fields cost one jump.
    pub fn of(name: &[u8]) -> Self {
        match Self::folded(name) {
            Self::Other => Self::Other,
            kind if !name.contains(&b'_') => kind,
            // The door only reads these two fields. It neither writes nor removes them, so a name with
            // `_` shadows nothing.
            Self::ContentType | Self::Date => Self::Other,
            _ => Self::Shadow,
        }
    }

    /// The kind of a name if `_` counts as `-`.
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

    /// Whether a field belongs to one connection and is never passed on. These are the fields of RFC
    /// 9110, 7.6.1, and fields that clients and origins use in the same way, such as Keep-Alive.
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

    /// Whether a field passes even if a `Connection` line names it. Otherwise a client could hide from
    /// the origin who sends the request, from where, or how long the body is.
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
    /// The name as it was sent, with its case.
    pub name: Span,
    /// The value without the white space around it. It may be empty.
    pub value: Span,
    /// The kind of the name.
    pub kind: FieldKind,
}
