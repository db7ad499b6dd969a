//! What a lane gathers for its next write.

use crate::data_plane::request::lane::Lane;
use crate::data_plane::worker::chunk::ChunkPool;
use crate::http1::{Framing, HeadLimits, Sending};

/// Large enough to be written from where they were read, with their ends behind them.
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
        let mut lane = Lane::new(Vec::new(), Framing::Chunked, Sending::Chunked, &HeadLimits::RESPONSE, 0);
        lane.give(chunk);
        lane.prepare().unwrap();
        let header = lane.unsent().len();
        assert!(header > 0);
        lane.written(header + LARGE + written_of_the_end);
        lane.prepare().unwrap();
        assert!(lane.is_blocked(), "the chunk's end is still owed");
        assert_eq!(lane.unsent(), b"", "the next chunk waits for the end of the one before");
        lane.written(2 - written_of_the_end);
        lane.prepare().unwrap();
        assert_eq!(lane.unsent(), format!("{LARGE:x}\r\n").as_bytes());
    }
}
