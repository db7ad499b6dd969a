//! The limits of heads, chunk extensions and trailers. docs/http.md, "Limits", lists those that a person
//! can configure.

/// The longest method, in bytes. The registry of RFC 9110, 16.1.1, has no method over 20 bytes.
pub(crate) const METHOD_BYTES_MAX: usize = 64;

/// The number of options that the `Connection` lines of one head may hold together. Each option is
/// compared with each field, so without a limit a head of 32 KiB would cost millions of comparisons.
pub(crate) const CONNECTION_OPTIONS_MAX: usize = 32;

/// The number of empty lines before a request that the codec skips (RFC 9112, 2.2).
pub(crate) const EMPTY_LINES_MAX: usize = 2;

/// The most bytes that all interim heads (1xx) of one response may have together. Their number has no
/// limit of its own, because a proxy must forward each of them (RFC 9110, 15.2).
pub const INFORMATIONAL_BYTES_MAX: usize = 256 * 1024;

/// The longest extension of one chunk, in bytes with its semicolon.
pub(crate) const CHUNK_EXTENSION_BYTES_MAX: u32 = 256;

/// The most bytes that all chunk extensions of one body may have together.
pub(crate) const CHUNK_EXTENSIONS_BYTES_MAX: u32 = 16 * 1024;

/// The limits of a head and of a trailer section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// The most bytes of all field lines with their line ends. The first line does not count.
    pub block_bytes_max: usize,
    /// The largest number of field lines.
    pub fields_max: usize,
    /// The longest request-target, in bytes.
    pub target_bytes_max: usize,
}

impl HeadLimits {
    /// The limits of a client's head if `[limits]` of the configuration does not change them.
    pub const REQUEST: Self =
        Self { block_bytes_max: 32 * 1024, fields_max: 100, target_bytes_max: 8 * 1024 };

    /// The limits of an origin's head. A larger head is a malformed response.
    pub const RESPONSE: Self =
        Self { block_bytes_max: 64 * 1024, fields_max: 200, target_bytes_max: 8 * 1024 };

    /// The most bytes that a request head within these limits can take. A read buffer must be able to
    /// grow to this size.
    pub const fn head_bytes_max(&self) -> usize {
        // The parts are the empty lines, the method, SP, the target, SP, the version, CRLF, the field
        // block, and the final CRLF.
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
