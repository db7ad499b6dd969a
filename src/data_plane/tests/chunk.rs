use crate::data_plane::worker::chunk::{CHUNK_BYTES, ChunkPool};

#[test]
fn a_chunk_keeps_its_unread_bytes_and_is_empty_when_it_comes_back() {
    let pool = ChunkPool::new(0);
    let mut chunk = pool.take();
    assert_eq!(chunk.room().len(), CHUNK_BYTES);
    assert_eq!(chunk.append(b"hello"), 5);
    chunk.room()[..2].copy_from_slice(b"!!");
    chunk.filled(2);
    chunk.consume(4);
    assert_eq!(chunk.data(), b"o!!");
    chunk.consume(100);
    assert!(chunk.is_empty());
    drop(chunk);
    assert!(pool.take().is_empty());
}

#[test]
fn a_chunk_takes_no_more_than_it_has_room_for() {
    let pool = ChunkPool::new(0);
    let mut chunk = pool.take();
    let large = vec![7; CHUNK_BYTES + 1];
    assert_eq!(chunk.append(&large), CHUNK_BYTES);
    assert_eq!(chunk.append(b"x"), 0);
    chunk.filled(1);
    assert_eq!(chunk.data().len(), CHUNK_BYTES);
}

#[test]
fn chunks_hold_the_largest_head_that_is_configured() {
    assert!(ChunkPool::new(1 << 20).take().room().len() > 1 << 20);
}
