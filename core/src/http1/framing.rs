//! The length of a body (RFC 9112, 6).

/// The framing of a body. The head alone decides it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// The message has no body.
    #[default]
    None,
    /// The body has this many bytes. The number may be 0.
    Length(u64),
    /// The body comes in chunks, and trailers may follow.
    Chunked,
    /// The body ends when the sender closes the connection. Only a response has this framing.
    ToEnd,
}

impl Framing {
    /// Whether bytes of a body can follow.
    pub const fn has_body(self) -> bool {
        !matches!(self, Self::None | Self::Length(0))
    }
}

/// The contents of all framing fields of one head. Requests and responses refuse the same contents.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FramingFields {
    length: Option<u64>,
    coded: bool,
    fault: Option<FramingFault>,
}

/// The faults of framing fields that have no reading, or more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FramingFault {
    LengthWithCoding,
    LengthRepeated,
    Length,
    CodingInOld,
    Coding,
}

impl FramingFields {
    /// Takes the value of a `Content-Length` line.
    pub(crate) fn length(&mut self, value: &[u8]) {
        let fault = match (self.length, parse_length(value)) {
            (Some(_), _) => Some(FramingFault::LengthRepeated),
            (None, None) => {
                self.length = Some(0);
                Some(FramingFault::Length)
            }
            (None, length) => {
                self.length = length;
                None
            }
        };
        self.fault = self.fault.or(fault);
    }

    /// Takes the value of a `Transfer-Encoding` line.
    pub(crate) fn coding(&mut self, value: &[u8]) {
        if self.coded || !value.eq_ignore_ascii_case(b"chunked") {
            self.fault = self.fault.or(Some(FramingFault::Coding));
        }
        self.coded = true;
    }

    /// The one reading of the fields, as `(length, chunked)`. `is_old` stands for HTTP/1.0. The most
    /// dangerous fault is checked first. Both fields in one head are an attack, but an unknown coding
    /// may be a mistake.
    pub(crate) fn settle(self, is_old: bool) -> Result<(Option<u64>, bool), FramingFault> {
        match self {
            Self { length: Some(_), coded: true, .. } => Err(FramingFault::LengthWithCoding),
            Self { coded: true, .. } if is_old => Err(FramingFault::CodingInOld),
            Self { fault: Some(fault), .. } => Err(fault),
            Self { length, coded, fault: None } => Ok((length, coded)),
        }
    }
}

/// Reads decimal digits and nothing else. A number over 2^63 - 1 is refused, because that is the largest
/// number that the parsers of most origins can hold.
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    let mut length = 0_u64;
    for byte in value {
        if !byte.is_ascii_digit() {
            return None;
        }
        length = length.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    (length <= i64::MAX.unsigned_abs()).then_some(length)
}
