//! What a client may cost with frames that ask for nothing: an account of them, kept beside the
//! protocol (no clock, no IO: bytes and ticks in, a verdict out).
//!
//! Floods are frames that are cheap to send and have to be handled: PING, SETTINGS, RST_STREAM
//! (rapid reset, CVE-2023-44487), CONTINUATION (CVE-2024-27316), empty or tiny DATA, PRIORITY,
//! WINDOW_UPDATE (CVE-2019-9511 to 9518). h2 bounds the memory that some of them take; nothing in it
//! bounds their rate. Honest clients send such frames too, but in proportion to what they are sent: so
//! each costs points, points come back with time, and with every byte that goes to the client.

/// What one connection may owe, in points.
const POINTS_MAX: i64 = 2000;
/// Points that come back in a tick (100 ms).
const POINTS_A_TICK: i64 = 20;
/// Bytes sent to the client that bring one point back.
const BYTES_A_POINT: i64 = 64;

/// The connection preface of a client (RFC 9113, 3.4), which comes before the first frame.
const PREFACE_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 9;

/// DATA with less than this and without an end is tiny: no message of gRPC (5 bytes of prefix) or
/// of a client's WebSocket (6 bytes) fits.
const TINY_BYTES: u32 = 5;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const PADDED: u8 = 0x8;

/// The types of frames (RFC 9113, 6).
mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PING: u8 = 6;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// The client sends more of what asks for nothing than anybody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a flood of frames of type {kind}")]
pub struct Flood {
    pub kind: u8,
}

/// The account of one connection.
#[derive(Debug)]
pub struct Guard {
    header: [u8; FRAME_HEADER_BYTES],
    /// Bytes of the header that came.
    have: usize,
    /// Bytes that are no frame header: the preface, or the rest of a payload.
    skip: usize,
    /// What may still be spent, in sent bytes: 64 to the point.
    left: i64,
    /// The tick at which points came back last.
    filled_at: u32,
    /// Whether a SETTINGS frame of the peer's own has come.
    settings_seen: bool,
    /// Whether the peer's frames are counted.
    counts: bool,
}

impl Guard {
    /// For what a client sends.
    pub fn for_client(now: u32) -> Self {
        Self { skip: PREFACE_BYTES, counts: true, ..Self::for_origin(now) }
    }

    /// For what an origin sends: it is trusted, and only looked at.
    pub fn for_origin(now: u32) -> Self {
        Self {
            header: [0; FRAME_HEADER_BYTES],
            have: 0,
            skip: 0,
            left: POINTS_MAX * BYTES_A_POINT,
            filled_at: now,
            settings_seen: false,
            counts: false,
        }
    }

    /// Whether the peer has said what it can do.
    pub fn settings_seen(&self) -> bool {
        self.settings_seen
    }

    /// So many bytes went to the peer.
    pub fn sent(&mut self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.left = self.left.saturating_add(count).min(POINTS_MAX * BYTES_A_POINT);
    }

    /// Looks at bytes that came, however they are cut.
    pub fn received(&mut self, mut bytes: &[u8], now: u32) -> Result<(), Flood> {
        let ticks = i64::from(now.saturating_sub(self.filled_at));
        self.filled_at = now;
        let back = ticks.saturating_mul(POINTS_A_TICK * BYTES_A_POINT);
        self.left = self.left.saturating_add(back).min(POINTS_MAX * BYTES_A_POINT);
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let taken = bytes.len().min(FRAME_HEADER_BYTES - self.have);
            self.header[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            self.have += taken;
            bytes = &bytes[taken..];
            if self.have == FRAME_HEADER_BYTES {
                self.have = 0;
                self.frame()?;
            }
        }
        Ok(())
    }

    fn frame(&mut self) -> Result<(), Flood> {
        let [high, middle, low, kind, flags, ..] = self.header;
        let length = u32::from_be_bytes([0, high, middle, low]);
        self.skip = usize::try_from(length).unwrap_or(usize::MAX);
        self.settings_seen |= kind == kind::SETTINGS && flags & ACK == 0;
        if self.counts {
            self.left -= cost(kind, flags, length) * BYTES_A_POINT;
            if self.left < 0 {
                return Err(Flood { kind });
            }
        }
        Ok(())
    }
}

/// What a frame costs, in points.
fn cost(kind: u8, flags: u8, length: u32) -> i64 {
    match kind {
        // Requests and messages are paid for by the limits of streams and windows.
        kind::HEADERS => 0,
        kind::DATA if flags & END_STREAM != 0 => 0,
        kind::DATA if length == 0 => 10,
        // The length of a padded frame says little.
        kind::DATA if length < TINY_BYTES || (flags & PADDED != 0 && length <= 256) => 2,
        kind::DATA => 0,
        kind::WINDOW_UPDATE => 1,
        kind::PING => 2,
        kind::PRIORITY | kind::RST_STREAM | kind::CONTINUATION => 4,
        kind::SETTINGS if flags & ACK != 0 => 4,
        kind::SETTINGS => 20,
        // Unknown ones are to be ignored (RFC 9113, 4.1), and some clients send them to see that.
        _ => 2,
    }
}
