//! A range over the read buffer that a head was parsed from. A head of spans needs no copy of its bytes.

/// The bytes `start..end` of the buffer that was given to the parser. A span has half the size of a
/// `Range<usize>`. 32 bits are enough, because the limits of a head are far below 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The position of the first byte.
    pub start: u32,
    /// The position behind the last byte.
    pub end: u32,
}

impl Span {
    /// The span of `start..end`. Both positions lie inside a head, which [`super::HeadLimits`] bounds.
    #[allow(clippy::cast_possible_truncation)] // the scan refuses a head that passes u32
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The bytes themselves. If `buf` is too short to be the buffer of the head, the result is empty;
    /// the function does not panic.
    pub fn of(self, buf: &[u8]) -> &[u8] {
        buf.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The length in bytes.
    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the span has no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}
