//! Request methods, as far as a proxy tells them apart.

/// The methods that a proxy must tell apart (RFC 9110, 9.3; PATCH is in RFC 5789). Every other method
/// passes as [`Method::Other`].
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
    /// CONNECT or TRACE, in any case of letters. The parser refuses both, so no parsed head has them.
    Refused,
}

impl Method {
    /// The method with this name. Methods are case-sensitive (RFC 9110, 9.1). Only CONNECT and TRACE
    /// are found in any case of letters, so that no origin takes a `trace` for a TRACE.
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

    /// The method at the beginning of bytes that may not be a valid request. It decides whether the
    /// door's answer to them has a body.
    pub fn at_start(bytes: &[u8]) -> Self {
        let line = bytes.trim_ascii_start();
        Self::of(line.split(|&byte| byte == b' ').next().unwrap_or_default())
    }

    /// Whether a request with this method may be sent a second time if it has no body. That holds for
    /// GET, HEAD and OPTIONS.
    pub const fn is_replayable(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}
