//! The search for the end of a head. Each byte is searched once, however slowly the bytes come.
//!
//! The scan remembers its position, so a head that comes byte by byte costs the same as one that comes
//! whole. It refuses a head as soon as the head passes a limit, even before the head is complete. It also
//! proves that every line ends in CRLF, which httparse does not ask for.

use super::limits::HeadLimits;

/// The progress in a head that is not complete. Positions count from the start of the buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeadScan {
    /// The first byte that the scan has not looked at.
    next: usize,
    /// The start of the line that is not complete.
    line: usize,
    /// The start of the first line, behind the empty lines before it.
    start: usize,
    /// The start of the field block. 0 while the first line is incomplete.
    block_start: usize,
    /// The number of complete field lines.
    lines: usize,
    /// The number of empty lines before the first line.
    empty: usize,
}

/// The positions of a complete head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadEnd {
    /// The first byte of the first line.
    pub start: usize,
    /// The first byte behind the CRLF of the first line.
    pub block_start: usize,
    /// The first byte behind the empty line that ends the head.
    pub end: usize,
    /// The number of field lines.
    pub lines: usize,
}

/// Why the scan refuses a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanFault {
    BareLf,
    EmptyLines,
    FirstLineTooLong,
    BlockTooLarge,
    TooManyFields,
}

/// The limits of the first line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLine {
    /// The number of empty lines that may come before it.
    pub empty_lines_max: usize,
    /// The most bytes that it may have without its CRLF.
    pub bytes_max: usize,
}

impl HeadScan {
    /// The first byte of the first line, if it has come.
    pub(crate) fn first_byte(&self, buf: &[u8]) -> Option<u8> {
        buf.get(self.start).copied()
    }

    /// The start of the first line.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Looks at the bytes that have come since the last call. Returns `None` if more are needed.
    pub(crate) fn advance(
        &mut self,
        buf: &[u8],
        first: FirstLine,
        limits: &HeadLimits,
    ) -> Result<Option<HeadEnd>, ScanFault> {
        // `get` and not an index, so that a buffer shorter than before gives `None` and no panic.
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

    /// Takes a complete line that comes before the field block. `lf` is the position of its LF.
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

    /// Refuses an incomplete head if the part that has come already passes a limit. Two more bytes are
    /// allowed, because they may be a CR and LF, which do not count.
    fn unfinished(&self, first: FirstLine, limits: &HeadLimits) -> Result<Option<HeadEnd>, ScanFault> {
        let (from, bytes_max, fault) = if self.block_start == 0 {
            (self.start, first.bytes_max, ScanFault::FirstLineTooLong)
        } else {
            (self.block_start, limits.block_bytes_max, ScanFault::BlockTooLarge)
        };
        // A span holds 32 bits, so a longer head is refused whatever the limits are.
        let too_long = self.next - from > bytes_max.saturating_add(2) || u32::try_from(self.next).is_err();
        if too_long { Err(fault) } else { Ok(None) }
    }
}
