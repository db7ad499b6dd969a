//! Where a head ends, found once however slowly its bytes come.
//!
//! The scan remembers how far it came, so a head that trickles in byte by byte costs the same as
//! one that comes whole, and it refuses a head as soon as a limit is passed, not when it is
//! complete. It also proves what httparse does not ask for: that every line ends in CRLF.

use super::limits::HeadLimits;

/// The progress in a head that is not complete. Positions are relative to the buffer's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeadScan {
    /// First byte that was not looked at.
    next: usize,
    /// Start of the line that is being read.
    line: usize,
    /// Start of the first line, after empty ones.
    start: usize,
    /// Start of the field block; 0 while the first line is incomplete.
    block_start: usize,
    /// Complete field lines.
    lines: usize,
    /// Empty lines before the first one.
    empty: usize,
}

/// A complete head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadEnd {
    /// First byte of the first line.
    pub start: usize,
    /// First byte after the first line's CRLF.
    pub block_start: usize,
    /// First byte after the empty line.
    pub end: usize,
    /// Field lines.
    pub lines: usize,
}

/// Why a head is refused before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanFault {
    BareLf,
    EmptyLines,
    FirstLineTooLong,
    BlockTooLarge,
    TooManyFields,
}

/// What the first line may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLine {
    /// Empty lines that may come before it.
    pub empty_lines_max: usize,
    /// Bytes, without its CRLF.
    pub bytes_max: usize,
}

impl HeadScan {
    /// The first byte of the first line, if it came.
    pub(crate) fn first_byte(&self, buf: &[u8]) -> Option<u8> {
        buf.get(self.start).copied()
    }

    /// The start of the first line.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Looks at the bytes that came since the last call. `None`: more are needed.
    pub(crate) fn advance(
        &mut self,
        buf: &[u8],
        first: FirstLine,
        limits: &HeadLimits,
    ) -> Result<Option<HeadEnd>, ScanFault> {
        // `get`: a caller that gives a shorter buffer than before gets `None`, not a panic.
        let unseen = buf.get(self.next..).unwrap_or_default();
        let base = self.next;
        for lf in memchr::memchr_iter(b'\n', unseen) {
            let lf = base + lf;
            if lf == self.line || buf[lf - 1] != b'\r' {
                return Err(ScanFault::BareLf);
            }
            let empty = lf - 1 == self.line;
            self.line = lf + 1;
            if self.block_start == 0 {
                self.first_line(lf, empty, first)?;
            } else if empty {
                return Ok(Some(HeadEnd {
                    start: self.start,
                    block_start: self.block_start,
                    end: self.line,
                    lines: self.lines,
                }));
            } else {
                self.lines += 1;
                if self.line - self.block_start > limits.block_bytes_max {
                    return Err(ScanFault::BlockTooLarge);
                }
                if self.lines > limits.fields_max {
                    return Err(ScanFault::TooManyFields);
                }
            }
        }
        self.next = self.next.max(buf.len());
        self.unfinished(first, limits)
    }

    fn first_line(&mut self, lf: usize, empty: bool, first: FirstLine) -> Result<(), ScanFault> {
        if empty {
            self.empty += 1;
            self.start = self.line;
            return if self.empty > first.empty_lines_max { Err(ScanFault::EmptyLines) } else { Ok(()) };
        }
        if lf - 1 - self.start > first.bytes_max {
            return Err(ScanFault::FirstLineTooLong);
        }
        self.block_start = self.line;
        Ok(())
    }

    /// Whether the part that came already passes a limit; 2 for a CR and LF that may still belong
    /// to what is allowed.
    fn unfinished(&self, first: FirstLine, limits: &HeadLimits) -> Result<Option<HeadEnd>, ScanFault> {
        let (from, bytes_max, fault) = if self.block_start == 0 {
            (self.start, first.bytes_max, ScanFault::FirstLineTooLong)
        } else {
            (self.block_start, limits.block_bytes_max, ScanFault::BlockTooLarge)
        };
        // `u32`: spans are that wide, whatever the limits say.
        let too_long = self.next - from > bytes_max.saturating_add(2) || u32::try_from(self.next).is_err();
        if too_long { Err(fault) } else { Ok(None) }
    }
}
