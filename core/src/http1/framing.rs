//! How long a body is (RFC 9112, 6).

/// The framing of a body, decided by the head alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// No body.
    #[default]
    None,
    /// As many bytes; may be 0.
    Length(u64),
    /// Chunks, then trailers.
    Chunked,
    /// Until the sender closes; responses only.
    ToEnd,
}

impl Framing {
    /// Whether bytes of a body can follow.
    pub const fn has_body(self) -> bool {
        !matches!(self, Self::None | Self::Length(0))
    }
}

/// What the framing fields of a head say together. Both kinds of head refuse the same things.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FramingFields {
    length: Option<u64>,
    coded: bool,
    fault: Option<FramingFault>,
}

/// Framing with more than one reading, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FramingFault {
    LengthWithCoding,
    LengthRepeated,
    Length,
    CodingInOld,
    Coding,
}

impl FramingFields {
    /// A `Content-Length` line.
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

    /// A `Transfer-Encoding` line.
    pub(crate) fn coding(&mut self, value: &[u8]) {
        if self.coded || !value.eq_ignore_ascii_case(b"chunked") {
            self.fault = self.fault.or(Some(FramingFault::Coding));
        }
        self.coded = true;
    }

    /// The one reading: `(length, chunked)`. The order of the checks is the order of danger: both
    /// fields at once is an attack, an unknown coding may be a mistake.
    pub(crate) fn settle(self, is_old: bool) -> Result<(Option<u64>, bool), FramingFault> {
        match self {
            Self { length: Some(_), coded: true, .. } => Err(FramingFault::LengthWithCoding),
            Self { coded: true, .. } if is_old => Err(FramingFault::CodingInOld),
            Self { fault: Some(fault), .. } => Err(fault),
            Self { length, coded, fault: None } => Ok((length, coded)),
        }
    }
}

/// Decimal digits and nothing else. Over 2^63-1 is an overflow: that is where the parsers of most
/// origins end.
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
