//! A range over the read buffer that a head was parsed from.

/// Bytes `start..end` of the buffer that was given to the parser. Half the size of a
/// `Range<usize>`; the limits of a head keep it far below 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// The bytes `start..end`. Positions lie inside a head, which [`super::HeadLimits`] bounds.
    #[allow(clippy::cast_possible_truncation)] // the scan refuses a head that passes u32
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The bytes themselves. Empty if `buf` is not the buffer of the head, rather than a panic.
    pub fn of(self, buf: &[u8]) -> &[u8] {
        buf.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}
