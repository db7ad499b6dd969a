//! Writing chunks (RFC 9112, 7.1). A chunk is a [`ChunkHeader`], the data, and [`CHUNK_END`]. The body
//! ends with [`write_last_chunk`], which writes the trailers too.

use std::num::NonZeroUsize;

use super::trailer::Trailers;

/// The line end behind the data of a chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

const SIZE_DIGITS_MAX: usize = 16;

/// The line `SIZE CRLF` before the data of a chunk, ready for a vectored write. The size can't be 0,
/// because an empty chunk would end the body.
#[derive(Clone, Copy, Debug)]
pub struct ChunkHeader {
    bytes: [u8; SIZE_DIGITS_MAX + 2],
    start: usize,
}

impl ChunkHeader {
    /// The header of a chunk with `data_bytes` bytes of data.
    pub fn new(data_bytes: NonZeroUsize) -> Self {
        let mut bytes = [0; SIZE_DIGITS_MAX + 2];
        bytes[SIZE_DIGITS_MAX..].copy_from_slice(CHUNK_END);
        let mut left = data_bytes.get();
        let mut start = SIZE_DIGITS_MAX;
        while left > 0 {
            start -= 1;
            bytes[start] = b"0123456789abcdef"[left % 16];
            left /= 16;
        }
        Self { bytes, start }
    }

    /// The bytes of the line.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// Appends the header of a chunk with `data_bytes` bytes of data to `out`.
pub fn write_chunk_header(data_bytes: NonZeroUsize, out: &mut Vec<u8>) {
    out.extend_from_slice(ChunkHeader::new(data_bytes).as_bytes());
}

/// Appends the last chunk, the trailers if there are any, and the end of the body to `out`.
pub fn write_last_chunk(trailers: Option<&Trailers>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
    if let Some(trailers) = trailers {
        out.extend_from_slice(trailers.as_bytes());
    }
    out.extend_from_slice(CHUNK_END);
}
