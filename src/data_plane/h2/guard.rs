//! Limits the cost of a client's frames that ask for nothing. It keeps an account of them beside the
//! protocol, without a clock or IO: bytes and ticks go in, and a verdict comes out.
//!
//! Floods are frames that are cheap to send and have to be handled: PING, SETTINGS, RST_STREAM (rapid
//! reset, CVE-2023-44487), CONTINUATION (CVE-2024-27316), empty or tiny DATA, PRIORITY, WINDOW_UPDATE
//! (CVE-2019-9511 to 9518). h2 bounds the memory that some of them take, and it bounds no rate. Honest
//! clients send such frames too, but in proportion to the bytes that they are sent. So each frame costs
//! points. Points come back with time, and with every byte that goes to the client.
//!
//! The guard also checks three things about which h2 is imprecise. They are a frame of a wrong length,
//! a window that is too large, and a frame on a stream that the client has ended itself (RFC 9113, 5.1,
//! 6). Each of them gets the error that the RFC names for it.

/// The most points that one connection may owe.
const POINTS_MAX: i64 = 2000;
/// Points that come back in a tick (100 ms).
const POINTS_A_TICK: i64 = 20;
/// The number of bytes sent to the client that bring one point back.
const BYTES_A_POINT: i64 = 64;
/// Points that come back with each head and each piece of a body that is sent, however small. Clients
/// of gRPC open windows and ping for every message.
const POINTS_A_PIECE: i64 = 10;
/// The cost in points of a RST_STREAM that greenlight sends, because a request was faulty or one too
/// many. If a response is cut in the middle, its pieces have paid for this.
const POINTS_A_RESET: i64 = 20;

/// The cost in points of a rapid reset, beside that of its RST_STREAM. In a rapid reset the client
/// gives a request up at once after it has made it. To give up a request that an origin does not answer
/// is a client's right.
const POINTS_A_RAPID_RESET: i64 = 16;

/// The number of frames that one head counts as, because of the work for it.
const FRAMES_A_HEAD: usize = 4;

/// The connection preface of a client (RFC 9113, 3.4), which comes before the first frame.
const PREFACE_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 9;

/// DATA with fewer bytes than this and without an end is tiny. No message of gRPC (5 bytes of prefix)
/// or of a client's WebSocket (6 bytes) fits into it.
const TINY_BYTES: u32 = 5;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;

/// The types of frames (RFC 9113, 6).
mod kind {
    pub(super) const DATA: u8 = 0;
    pub(super) const HEADERS: u8 = 1;
    pub(super) const PRIORITY: u8 = 2;
    pub(super) const RST_STREAM: u8 = 3;
    pub(super) const SETTINGS: u8 = 4;
    pub(super) const PUSH_PROMISE: u8 = 5;
    pub(super) const PING: u8 = 6;
    pub(super) const GOAWAY: u8 = 7;
    pub(super) const WINDOW_UPDATE: u8 = 8;
    pub(super) const CONTINUATION: u8 = 9;
}

/// The number of ended streams that are remembered.
const ENDED_MAX: usize = 32;
/// The bytes of one setting: its name and its value.
const SETTING_BYTES: usize = 6;
/// SETTINGS_INITIAL_WINDOW_SIZE, and the most that it may be (RFC 9113, 6.5.2).
const INITIAL_WINDOW_SIZE: u16 = 4;
const WINDOW_MAX: u32 = 0x7fff_ffff;

/// The bytes of a GOAWAY up to the end of its error code.
const GOAWAY_BYTES: usize = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Offense {
    #[error("a flood of frames of type {0}")]
    Flood(u8),
    #[error("a frame of type {0} has a wrong length")]
    FrameSize(u8),
    #[error("an initial window over 2^31-1")]
    Window,
    #[error("a frame of type {0} on a stream that the client has ended")]
    StreamClosed(u8),
    #[error("a client can't push")]
    Push,
}

/// An offense, and the number of bytes that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub offense: Offense,
    pub good: usize,
}

/// The part of the bytes that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The number of bytes, counted from the first.
    pub bytes: usize,
    /// The number of frames that began in them. A head counts as [`FRAMES_A_HEAD`] frames.
    pub frames: usize,
}

/// The account of one connection.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub(super) struct Guard {
    header: [u8; FRAME_HEADER_BYTES],
    /// The number of bytes of the header that have come.
    have: usize,
    /// The number of bytes ahead that are no frame header. They are the preface, or the rest of a
    /// payload.
    skip: usize,
    /// The payload is of SETTINGS. The next two fields are the setting that is being read, and the
    /// number of its bytes that have come.
    in_settings: bool,
    setting: [u8; SETTING_BYTES],
    setting_have: usize,
    /// A head has begun and not ended.
    in_head: bool,
    /// The tick at which the last head began.
    head_at: u32,
    /// The last streams that the client has ended or reset.
    ended: [u32; ENDED_MAX],
    ended_at: usize,
    /// The header of a frame that is sent, the number of its bytes so far, and the payload ahead.
    out_header: [u8; FRAME_HEADER_BYTES],
    out_have: usize,
    out_skip: usize,
    /// The points that may still be spent, in sent bytes: 64 to the point.
    left: i64,
    /// The tick at which points came back last.
    filled_at: u32,
    /// Whether the peer's own SETTINGS frame has come.
    settings_seen: bool,
    /// The bytes of a GOAWAY's payload that have come, and its error code as far as that has come.
    goaway_have: usize,
    goaway_code: u32,
    /// Whether the peer's frames are counted.
    counts: bool,
}

impl Guard {
    /// A guard for the bytes that a client sends. `now` is the current tick.
    pub(super) fn for_client(now: u32) -> Self {
        Self { skip: PREFACE_BYTES, counts: true, ..Self::for_origin(now) }
    }

    /// A guard for the bytes that an origin sends. An origin is trusted, so its frames are read and not
    /// counted.
    pub(super) fn for_origin(now: u32) -> Self {
        Self {
            header: [0; FRAME_HEADER_BYTES],
            have: 0,
            skip: 0,
            in_settings: false,
            setting: [0; SETTING_BYTES],
            setting_have: 0,
            in_head: false,
            head_at: now,
            ended: [0; ENDED_MAX],
            ended_at: 0,
            out_header: [0; FRAME_HEADER_BYTES],
            out_have: 0,
            out_skip: 0,
            left: POINTS_MAX * BYTES_A_POINT,
            filled_at: now,
            settings_seen: false,
            goaway_have: 0,
            goaway_code: 0,
            counts: false,
        }
    }

    /// Whether the peer has sent its SETTINGS.
    pub(super) fn settings_seen(&self) -> bool {
        self.settings_seen
    }

    /// Whether the peer has ended the connection because it is asked too much (RFC 9113, 7:
    /// ENHANCE_YOUR_CALM).
    pub(super) fn is_told_to_calm(&self) -> bool {
        self.goaway_have >= GOAWAY_BYTES && self.goaway_code == ENHANCE_YOUR_CALM
    }

    /// The tick at which the head began that is not complete yet; `None` if no head is incomplete.
    pub(super) fn head_since(&self) -> Option<u32> {
        let is_head = matches!(self.header[3], kind::HEADERS | kind::CONTINUATION);
        (self.in_head || (is_head && self.skip > 0)).then_some(self.head_at)
    }

    /// Charges for a request that the client gave up before its task began. If this was one too many,
    /// the next frame shows it.
    pub(super) fn given_up(&mut self) {
        self.left -= POINTS_A_RAPID_RESET * BYTES_A_POINT;
    }

    /// Credits bytes that went to the peer.
    pub(super) fn sent(&mut self, mut bytes: &[u8]) {
        if !self.counts {
            return;
        }
        let mut back = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        while !bytes.is_empty() {
            let skipped = self.out_skip.min(bytes.len());
            self.out_skip -= skipped;
            bytes = &bytes[skipped..];
            let taken = bytes.len().min(FRAME_HEADER_BYTES - self.out_have);
            self.out_header[self.out_have..self.out_have + taken].copy_from_slice(&bytes[..taken]);
            self.out_have += taken;
            bytes = &bytes[taken..];
            if self.out_have == FRAME_HEADER_BYTES {
                self.out_have = 0;
                let [high, middle, low, kind, ..] = self.out_header;
                self.out_skip = u32::from_be_bytes([0, high, middle, low]) as usize;
                let points = match kind {
                    kind::DATA | kind::HEADERS => POINTS_A_PIECE,
                    kind::RST_STREAM => -POINTS_A_RESET,
                    _ => 0,
                };
                back = back.saturating_add(points * BYTES_A_POINT);
            }
        }
        self.left = self.left.saturating_add(back).min(POINTS_MAX * BYTES_A_POINT);
    }

    /// Looks at bytes that came, however they are cut. It stops at the end of the frame that completes
    /// `frames_max` frames. If RST_STREAM comes next, it is included, so that the request that it takes
    /// back need not be begun.
    ///
    /// # Errors
    /// An offense, with the number of bytes before it.
    pub(super) fn received(&mut self, bytes: &[u8], frames_max: usize, now: u32) -> Result<Reading, Stop> {
        let ticks = i64::from(now.saturating_sub(self.filled_at));
        self.filled_at = now;
        let back = ticks.saturating_mul(POINTS_A_TICK * BYTES_A_POINT);
        self.left = self.left.saturating_add(back).min(POINTS_MAX * BYTES_A_POINT);
        let (mut at, mut frames) = (0, 0);
        while at < bytes.len() {
            let skipped = self.skip.min(bytes.len() - at);
            if self.in_settings {
                self.settings(&bytes[at..at + skipped]).map_err(|offense| Stop { offense, good: at })?;
            }
            if self.header[3] == kind::GOAWAY {
                self.goaway(&bytes[at..at + skipped]);
            }
            self.skip -= skipped;
            at += skipped;
            if frames >= frames_max && !is_reset(&bytes[at..]) {
                break;
            }
            let taken = (bytes.len() - at).min(FRAME_HEADER_BYTES - self.have);
            self.header[self.have..self.have + taken].copy_from_slice(&bytes[at..at + taken]);
            self.have += taken;
            at += taken;
            if self.have == FRAME_HEADER_BYTES {
                self.have = 0;
                let good = at.saturating_sub(FRAME_HEADER_BYTES);
                self.frame().map_err(|offense| Stop { offense, good })?;
                frames += if self.header[3] == kind::HEADERS { FRAMES_A_HEAD } else { 1 };
            }
        }
        Ok(Reading { bytes: at, frames })
    }

    fn frame(&mut self) -> Result<(), Offense> {
        let [high, middle, low, kind, flags, s0, s1, s2, s3] = self.header;
        let length = u32::from_be_bytes([0, high, middle, low]);
        self.skip = usize::try_from(length).unwrap_or(usize::MAX);
        if kind == kind::GOAWAY {
            self.goaway_have = 0;
        }
        self.settings_seen |= kind == kind::SETTINGS && flags & ACK == 0;
        if !self.counts {
            return Ok(());
        }
        if kind == kind::HEADERS && !self.in_head {
            self.head_at = self.filled_at;
        }
        self.in_settings = kind == kind::SETTINGS;
        self.setting_have = 0;
        check_length(kind, flags, length)?;
        // The highest bit is reserved.
        self.on_stream(kind, flags, u32::from_be_bytes([s0, s1, s2, s3]) & WINDOW_MAX)?;
        self.left -= cost(kind, flags, length) * BYTES_A_POINT;
        if self.left < 0 { Err(Offense::Flood(kind)) } else { Ok(()) }
    }

    /// Checks a frame on a stream. A stream that the client has ended can't go on.
    fn on_stream(&mut self, kind: u8, flags: u8, stream: u32) -> Result<(), Offense> {
        let carries = matches!(kind, kind::HEADERS | kind::DATA);
        // Inside a head every frame but CONTINUATION is a fault of its own, which h2 finds.
        let in_head = self.in_head;
        self.in_head = opens_head(kind, flags, in_head);
        if in_head {
            return Ok(());
        }
        if carries && stream != 0 && self.ended.contains(&stream) {
            return Err(Offense::StreamClosed(kind));
        }
        if kind == kind::RST_STREAM || (carries && flags & END_STREAM != 0) {
            self.ended[self.ended_at] = stream;
            self.ended_at = (self.ended_at + 1) % ENDED_MAX;
        }
        Ok(())
    }

    /// Reads a part of a payload of GOAWAY: the last stream, then the error code.
    fn goaway(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().take(GOAWAY_BYTES.saturating_sub(self.goaway_have)) {
            self.goaway_code = self.goaway_code << 8 | u32::from(*byte);
            self.goaway_have += 1;
        }
    }

    /// Reads a part of a payload of SETTINGS.
    fn settings(&mut self, mut bytes: &[u8]) -> Result<(), Offense> {
        while !bytes.is_empty() {
            let taken = bytes.len().min(SETTING_BYTES - self.setting_have);
            self.setting[self.setting_have..self.setting_have + taken].copy_from_slice(&bytes[..taken]);
            self.setting_have += taken;
            bytes = &bytes[taken..];
            if self.setting_have == SETTING_BYTES {
                self.setting_have = 0;
                let [n0, n1, v0, v1, v2, v3] = self.setting;
                let (name, value) = (u16::from_be_bytes([n0, n1]), u32::from_be_bytes([v0, v1, v2, v3]));
                if name == INITIAL_WINDOW_SIZE && value > WINDOW_MAX {
                    return Err(Offense::Window);
                }
            }
        }
        Ok(())
    }
}

/// Whether the frame that begins here is known to be RST_STREAM.
fn is_reset(bytes: &[u8]) -> bool {
    matches!(bytes, [_, _, _, kind::RST_STREAM, ..])
}

/// Whether the head goes on behind this frame.
fn opens_head(kind: u8, flags: u8, before: bool) -> bool {
    match kind {
        kind::HEADERS | kind::CONTINUATION => flags & END_HEADERS == 0,
        _ => before,
    }
}

/// Checks the lengths that RFC 9113, 6 fixes.
fn check_length(kind: u8, flags: u8, length: u32) -> Result<(), Offense> {
    let fits = match kind {
        kind::PING => length == 8,
        kind::PRIORITY => length == 5,
        kind::RST_STREAM | kind::WINDOW_UPDATE => length == 4,
        kind::SETTINGS if flags & ACK != 0 => length == 0,
        kind::SETTINGS => length.is_multiple_of(6),
        kind::PUSH_PROMISE => return Err(Offense::Push),
        _ => true,
    };
    if fits { Ok(()) } else { Err(Offense::FrameSize(kind)) }
}

/// The cost of a frame, in points.
fn cost(kind: u8, flags: u8, length: u32) -> i64 {
    let goes_on = flags & END_STREAM == 0;
    match kind {
        kind::DATA if goes_on && length == 0 => 10,
        // The length of a padded frame says little.
        kind::DATA if goes_on && (length < TINY_BYTES || (flags & PADDED != 0 && length <= 256)) => 4,
        // The limits of streams and windows bound requests and messages.
        kind::HEADERS | kind::DATA => 0,
        kind::PRIORITY | kind::RST_STREAM | kind::CONTINUATION | kind::PING => 4,
        kind::SETTINGS if flags & ACK != 0 => 4,
        kind::SETTINGS => 20,
        // WINDOW_UPDATE and unknown frames. Unknown frames must be ignored (RFC 9113, 4.1), and some
        // clients send them to check that.
        _ => 2,
    }
}
