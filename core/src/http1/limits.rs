//! What a head may cost. Nothing here is unbounded.

/// The longest method that is read as one. RFC 9110, 9.1 registers none over 20 bytes.
pub(crate) const METHOD_BYTES_MAX: usize = 64;

/// Names that the `Connection` lines of one head may hold. Each is compared with each field, so
/// without a limit a 32 KiB head would cost millions of comparisons.
pub(crate) const CONNECTION_OPTIONS_MAX: usize = 32;

/// Empty lines before a request that are skipped (RFC 9112, 2.2).
pub(crate) const EMPTY_LINES_MAX: usize = 2;

/// Interim (1xx) responses to one request; one more is a fault.
pub const INFORMATIONAL_MAX: u8 = 16;

/// One chunk's extension, in bytes.
pub(crate) const CHUNK_EXTENSION_BYTES_MAX: u32 = 256;

/// All chunk extensions of one body, in bytes.
pub(crate) const CHUNK_EXTENSIONS_BYTES_MAX: u32 = 16 * 1024;

/// Limits of a head, and of a trailer section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// The field lines with their line ends, in bytes; the first line is not counted.
    pub block_bytes_max: usize,
    /// Field lines.
    pub fields_max: usize,
    /// The request-target, in bytes.
    pub target_bytes_max: usize,
}

impl HeadLimits {
    /// The defaults of `[limits]`.
    pub const REQUEST: Self =
        Self { block_bytes_max: 32 * 1024, fields_max: 100, target_bytes_max: 8 * 1024 };

    /// For an origin's heads: a head over this is a malformed response.
    pub const RESPONSE: Self =
        Self { block_bytes_max: 64 * 1024, fields_max: 200, target_bytes_max: 8 * 1024 };

    /// The most bytes of a buffer that a request head within these limits can take: what a read
    /// buffer must be able to grow to.
    pub const fn head_bytes_max(&self) -> usize {
        // Empty lines, method, SP, target, SP, version, CRLF, block, final CRLF.
        2 * EMPTY_LINES_MAX
            + METHOD_BYTES_MAX
            + 1
            + self.target_bytes_max
            + 1
            + 8
            + 2
            + self.block_bytes_max
            + 2
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self::REQUEST
    }
}
