//! WebSocket frames (RFC 6455, 5.2), as far as the door must see them to end a connection in good
//! order. It must know where one frame ends and the next begins, and whether a Close frame has passed.
//! The door does not look at masks, payloads and extensions. It need not, since no extension may change
//! the framing itself (RFC 6455, 9; RFC 7692).

/// The status code 1001 of a Close frame. It says that the endpoint goes away (RFC 6455, 7.4.1).
pub const CLOSE_GOING_AWAY: u16 = 1001;

const OPCODE_CLOSE: u8 = 8;
/// The longest frame header: two bytes, a length of eight bytes and a mask of four bytes.
const HEADER_BYTES_MAX: u8 = 14;

/// Follows the frames of one direction of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameScanner {
    header: [u8; HEADER_BYTES_MAX as usize],
    /// Bytes of the header that have come. 0 between two frames and inside a payload.
    begun: u8,
    /// Bytes of the payload that are still to come.
    left: u64,
    closed: bool,
}

impl FrameScanner {
    /// Whether the scanner stands between two frames. That is so before the first byte too.
    pub fn at_boundary(&self) -> bool {
        self.begun == 0 && self.left == 0
    }

    /// Whether a whole header of a Close frame has come. Its sender sends no frame after it.
    pub fn has_closed(&self) -> bool {
        self.closed
    }

    /// Takes the next bytes of this direction.
    pub fn advance(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            data = &data[self.step(data)..];
        }
    }

    /// Takes bytes up to the first end of a frame and returns their number. That number is 0 if the
    /// scanner already stands between two frames. Returns `None` if no frame ends in `data`; the
    /// scanner has then taken all of it.
    pub fn advance_to_boundary(&mut self, data: &[u8]) -> Option<usize> {
        let mut taken = 0;
        while !self.at_boundary() {
            if taken == data.len() {
                return None;
            }
            taken += self.step(&data[taken..]);
        }
        Some(taken)
    }

    /// Takes a part of one header or of one payload and returns the number of bytes. It takes at least
    /// one byte of an input that is not empty.
    fn step(&mut self, data: &[u8]) -> usize {
        if self.left > 0 {
            let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(data.len());
            self.left -= count as u64;
            return count;
        }
        let at = usize::from(self.begun);
        let wanted = usize::from(self.header_bytes()) - at;
        let count = wanted.min(data.len());
        self.header[at..at + count].copy_from_slice(&data[..count]);
        self.begun += u8::try_from(count).unwrap_or(HEADER_BYTES_MAX);
        // The second byte of the header says how long the header is, so `header_bytes` may have grown.
        if self.begun == self.header_bytes() {
            self.closed |= self.header[0] & 0x0f == OPCODE_CLOSE;
            self.left = self.payload_bytes();
            self.begun = 0;
        }
        count
    }

    /// The length of the header in bytes. It is 2 until the second byte has come.
    fn header_bytes(&self) -> u8 {
        if self.begun < 2 {
            return 2;
        }
        let length = match self.header[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.header[1] & 0x80 == 0 { 0 } else { 4 };
        2 + length + mask
    }

    /// The length of the payload in bytes, as a complete header says.
    fn payload_bytes(&self) -> u64 {
        let long = |bytes: usize| {
            self.header[2..2 + bytes].iter().fold(0, |length, &byte| length << 8 | u64::from(byte))
        };
        match self.header[1] & 0x7f {
            126 => long(2),
            127 => long(8),
            length => u64::from(length),
        }
    }
}

/// Appends a Close frame with this status code to `out`. With a mask the frame is masked, as every
/// frame to a server must be (RFC 6455, 5.3).
pub fn write_close(code: u16, mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    let [high, low] = code.to_be_bytes();
    match mask {
        None => out.extend_from_slice(&[0x88, 2, high, low]),
        Some([a, b, c, d]) => out.extend_from_slice(&[0x88, 0x82, a, b, c, d, high ^ a, low ^ b]),
    }
}
