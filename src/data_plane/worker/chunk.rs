//! Read buffers. The worker owns them, and lends one to a connection only while there are bytes in it.
//!
//! A connection that waits holds no buffer, which makes an idle connection cheap. (With a 16 KiB buffer
//! of its own, an idle connection would cost 16 KiB.) A peer that reads slowly keeps one chunk in each
//! direction, with the bytes that it has not taken yet. The worker reads nothing more for it until it
//! has taken them.

use std::cell::RefCell;
use std::rc::Rc;

/// Bytes of one chunk. This is more than the largest head of an origin (64 KiB), so that a head is
/// always parsed in one piece.
pub(crate) const CHUNK_BYTES: usize = 68 * 1024;

/// The most free chunks that are kept; further ones go back to the allocator.
const FREE_MAX: usize = 32;

/// A worker's free chunks. The chunk given back last is taken first, since its memory is still in the
/// cache.
#[derive(Debug)]
pub(crate) struct ChunkPool {
    free: RefCell<Vec<Box<[u8]>>>,
    chunk_bytes: usize,
}

impl ChunkPool {
    /// A pool of chunks that hold a head of `head_bytes_max` bytes and at least 4096 bytes more.
    pub(crate) fn new(head_bytes_max: usize) -> Rc<Self> {
        let chunk_bytes = CHUNK_BYTES.max(head_bytes_max.saturating_add(4096));
        Rc::new(Self { free: RefCell::new(Vec::with_capacity(FREE_MAX)), chunk_bytes })
    }

    /// An empty chunk.
    pub(crate) fn take(self: &Rc<Self>) -> Chunk {
        let bytes = self.free.borrow_mut().pop();
        let bytes = bytes.unwrap_or_else(|| vec![0; self.chunk_bytes].into_boxed_slice());
        Chunk { home: Rc::clone(self), bytes, start: 0, end: 0 }
    }
}

/// A buffer with unread bytes in the middle: `start..end` is data, `end..` is room.
#[derive(Debug)]
pub(crate) struct Chunk {
    home: Rc<ChunkPool>,
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Chunk {
    /// The unread bytes.
    pub(crate) fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The free space behind the unread bytes, to read into.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..]
    }

    /// Records that `count` bytes were read into the room.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = self.bytes.len().min(self.end + count);
    }

    /// Drops the first `count` unread bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// Copies as much of `data` as there is room for. Returns the number of copied bytes.
    pub(crate) fn append(&mut self, data: &[u8]) -> usize {
        let count = data.len().min(self.bytes.len() - self.end);
        self.bytes[self.end..self.end + count].copy_from_slice(&data[..count]);
        self.end += count;
        count
    }
}

impl Chunk {
    /// An empty chunk of the same pool.
    pub(crate) fn another(&self) -> Self {
        self.home.take()
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let mut free = self.home.free.borrow_mut();
        if free.len() < FREE_MAX {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}
