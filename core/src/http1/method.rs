//! Request methods, as far as a proxy tells them apart.

/// Methods that a proxy must tell apart; the rest passes as [`Method::Other`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Other,
    /// CONNECT and TRACE, in any case: never seen outside the parser.
    Refused,
}

impl Method {
    /// Methods are case-sensitive (RFC 9110, 9.1); only the refused ones are known in any case, so
    /// that no origin takes `trace` for what it isn't meant to be.
    pub fn of(method: &[u8]) -> Self {
        match method {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            other if other.eq_ignore_ascii_case(b"CONNECT") || other.eq_ignore_ascii_case(b"TRACE") => {
                Self::Refused
            }
            _ => Self::Other,
        }
    }

    /// The method that bytes begin with which need not be a request: what decides whether an answer to
    /// them has a body.
    pub fn at_start(bytes: &[u8]) -> Self {
        let line = bytes.trim_ascii_start();
        Self::of(line.split(|&byte| byte == b' ').next().unwrap_or_default())
    }

    /// GET, HEAD and OPTIONS: what may be sent twice, when it has no body.
    pub const fn is_replayable(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}
