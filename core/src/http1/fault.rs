//! All faults of a message. This file alone decides which status answers a fault.

/// Why a request is refused. No byte of the request reaches the origin. The door closes an HTTP/1.1
/// connection after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    #[error("a line ends in a bare LF; lines end in CRLF")]
    BareLf,
    #[error("more than two empty lines before the request")]
    EmptyLines,
    #[error("the request line is not `METHOD SP TARGET SP HTTP/1.1`")]
    RequestLine,
    #[error("the method is not a token of at most 64 bytes")]
    MethodTooLong,
    #[error("this method is not served")]
    MethodNotAllowed,
    #[error("the request-target does not begin with `/`, or has a `#`, a space or a control byte")]
    Target,
    #[error("the request-target is too long")]
    TargetTooLong,
    #[error("this HTTP version is not spoken here")]
    Version,
    #[error("the header block is too large")]
    BlockTooLarge,
    #[error("too many header fields")]
    TooManyFields,
    #[error("a field name is not a token followed by a colon")]
    FieldName,
    #[error("a field value has a control byte")]
    FieldValue,
    #[error("a field is folded over two lines")]
    Folded,
    #[error("no Host")]
    HostMissing,
    #[error("more than one Host")]
    HostRepeated,
    #[error("the Host is empty or malformed")]
    Host,
    #[error("the authority of the request-target is malformed or has userinfo")]
    Authority,
    #[error("the authority of the request-target differs from Host")]
    AuthorityDiffers,
    #[error("Content-Length beside Transfer-Encoding")]
    LengthWithCoding,
    #[error("more than one Content-Length")]
    LengthRepeated,
    #[error("Content-Length is not one decimal number")]
    Length,
    #[error("Transfer-Encoding in an HTTP/1.0 message")]
    CodingInOld,
    #[error("a Transfer-Encoding other than one `chunked`")]
    Coding,
    #[error("an expectation other than 100-continue")]
    Expectation,
    #[error("too many Connection options")]
    ConnectionOptions,
    #[error("an extended CONNECT asks for a protocol of this connection, for which there is no tunnel")]
    Protocol,
}

impl RequestFault {
    /// The status that answers the fault (RFC 9110, 15).
    pub const fn status(self) -> u16 {
        match self {
            Self::MethodNotAllowed => 405,
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::BlockTooLarge | Self::TooManyFields => 431,
            Self::MethodTooLong | Self::Coding | Self::Protocol => 501,
            Self::Version => 505,
            Self::BareLf
            | Self::EmptyLines
            | Self::RequestLine
            | Self::Target
            | Self::FieldName
            | Self::FieldValue
            | Self::Folded
            | Self::HostMissing
            | Self::HostRepeated
            | Self::Host
            | Self::Authority
            | Self::AuthorityDiffers
            | Self::LengthWithCoding
            | Self::LengthRepeated
            | Self::Length
            | Self::CodingInOld
            | Self::ConnectionOptions => 400,
        }
    }
}

/// Why a response is not passed on. The client gets 502, and the door never uses the origin's connection
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseFault {
    #[error("a line of the origin's head ends in a bare LF; lines end in CRLF")]
    BareLf,
    #[error("the origin's status line is not `HTTP/1.1 SP CODE SP REASON`")]
    StatusLine,
    #[error("the origin's HTTP version is neither 1.0 nor 1.1")]
    Version,
    #[error("the origin's status code is not a number from 100 to 999")]
    Status,
    #[error("the origin's head is too large")]
    BlockTooLarge,
    #[error("the origin's head has too many fields")]
    TooManyFields,
    #[error("a field name of the origin's head is not a token followed by a colon")]
    FieldName,
    #[error("a field value of the origin's head has a control byte")]
    FieldValue,
    #[error("a field of the origin's head is folded over two lines")]
    Folded,
    #[error("the origin sent Content-Length beside Transfer-Encoding")]
    LengthWithCoding,
    #[error("the origin sent more than one Content-Length")]
    LengthRepeated,
    #[error("the origin's Content-Length is not one decimal number")]
    Length,
    #[error("the origin sent Transfer-Encoding in an HTTP/1.0 message")]
    CodingInOld,
    #[error("the origin sent a Transfer-Encoding other than one `chunked`")]
    Coding,
    #[error("the origin sent too many Connection options")]
    ConnectionOptions,
    #[error("the origin switched protocols unasked, or to another one than asked for")]
    Switched,
    #[error("the origin's interim responses are over 256 KiB together")]
    InformationalTooLarge,
}

impl ResponseFault {
    /// The status that answers the fault. It is always 502 (RFC 9110, 15.6.3).
    pub const fn status(self) -> u16 {
        502
    }
}

/// Why the rest of a body can't be read. If the body is a client's, the door aborts the request to the
/// origin and never uses that connection again. If it is an origin's, the response ends abnormally for
/// the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    #[error("a chunk size is not 1 to 16 hex digits followed by CRLF")]
    ChunkSize,
    #[error("a chunk extension is too long or has a control byte")]
    ChunkExtension,
    #[error("a chunk's data is not followed by CRLF")]
    ChunkEnd,
    #[error("a trailer field is malformed")]
    Trailer,
    #[error("the trailer section is too large")]
    TrailersTooLarge,
    #[error("the body ended before its end")]
    Truncated,
}

impl BodyFault {
    /// The status for the client that sent this body, if no answer has gone to it yet.
    pub const fn status(self) -> u16 {
        match self {
            Self::TrailersTooLarge => 431,
            Self::ChunkSize | Self::ChunkExtension | Self::ChunkEnd | Self::Trailer | Self::Truncated => 400,
        }
    }
}
