//! The bytes that a copy loop gathers for its next write.

use crate::data_plane::request::copy_loop::CopyLoop;
use crate::data_plane::worker::chunk::ChunkPool;
use crate::http1::{Framing, HeadLimits, Sending};

/// The size of chunks that are written from where they were read to, with their ends behind them.
const LARGE: usize = 20_000;

#[test]
fn nothing_is_framed_before_the_end_of_the_chunk_that_a_short_write_cut() {
    let mut wire = Vec::new();
    for byte in [b'a', b'b'] {
        wire.extend_from_slice(format!("{LARGE:x}\r\n").as_bytes());
        wire.extend(std::iter::repeat_n(byte, LARGE));
        wire.extend_from_slice(b"\r\n");
    }
    for written_of_the_end in [0, 1] {
        let mut chunk = ChunkPool::new(64 * 1024).take();
        chunk.append(&wire);
        let mut copy_loop =
            CopyLoop::new(Vec::new(), Framing::Chunked, Sending::Chunked, &HeadLimits::RESPONSE, 0);
        copy_loop.give(chunk);
        copy_loop.prepare().unwrap();
        let header = copy_loop.unsent().len();
        assert!(header > 0);
        copy_loop.written(header + LARGE + written_of_the_end);
        copy_loop.prepare().unwrap();
        assert!(copy_loop.is_blocked(), "the chunk's end is still owed");
        assert_eq!(copy_loop.unsent(), b"", "the next chunk waits for the end of the one before");
        copy_loop.written(2 - written_of_the_end);
        copy_loop.prepare().unwrap();
        assert_eq!(copy_loop.unsent(), format!("{LARGE:x}\r\n").as_bytes());
    }
}
