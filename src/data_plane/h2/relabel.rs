//! Hides the framing fields of the answers to extended CONNECT from h2.
//!
//! A client ignores `content-length` and `transfer-encoding` in a successful answer to CONNECT (RFC 9110,
//! 9.3.6), and some origins send them. h2 counts the bytes of the tunnel against the length and resets
//! the stream, and it has no switch for that. So their names are changed before h2 reads them, in place
//! and to names of the same length, which [`super::response_head`] then drops.
//!
//! This needs no table of names, because an origin is told that it may use none: its
//! SETTINGS_HEADER_TABLE_SIZE is 0 (RFC 7541, 4.2), as nginx sets it towards its origins.

use std::cell::RefCell;

/// The names in the place of the two fields.
pub(super) const STAND_INS: [&str; 3] = ["if-range", "content-lengtg", "transfer-encodinh"];

/// Indexes of the static table (RFC 7541, appendix A).
const CONTENT_LENGTH: u8 = 28;
const TRANSFER_ENCODING: u8 = 57;
/// A field that no response has.
const IF_RANGE: u8 = 42;

/// The names as literals, each in plain text and in the Huffman code (RFC 7541, 5.2 and appendix B),
/// with another last byte: `g` and `h` change places.
const LITERALS: [(bool, &[u8], u8); 4] = [
    (false, b"content-length", b'g'),
    (false, b"transfer-encoding", b'h'),
    (true, &[0x21, 0xea, 0x49, 0x6a, 0x4a, 0xd4, 0x16, 0xa9, 0x93, 0x3f], 0x37),
    (true, &[0x4d, 0x83, 0xa9, 0x12, 0x96, 0xc5, 0x8b, 0x51, 0x0f, 0x21, 0xaa, 0x9b], 0x9f),
];

const FRAME_HEADER_BYTES: usize = 9;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// The bytes of a priority in HEADERS (RFC 9113, 6.2).
const PRIORITY_BYTES: usize = 5;

/// Where a header block is, in the representation of one field (RFC 7541, 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Field,
    /// An integer goes on behind an indexed field or a size update.
    Rest,
    /// The first byte behind a prefix of 4 bits that is full, and the bytes behind that one.
    Index,
    IndexRest,
    NameLength,
    /// A length goes on. The value so far, its shift, and whether it is that of a name in the Huffman code.
    NameLengthRest(usize, u32, bool),
    /// A name: the literal that it may be, the bytes that have come, and the bytes that are left.
    Name(Option<u8>, usize, usize),
    ValueLength,
    ValueLengthRest(usize, u32),
    Value(usize),
}

/// Follows the bytes that an origin sends.
#[derive(Debug, Default)]
pub(super) struct Relabel {
    /// The streams of extended CONNECT.
    tunnels: RefCell<Vec<u32>>,
    reading: RefCell<Reading>,
}

#[derive(Debug, Default)]
struct Reading {
    header: [u8; FRAME_HEADER_BYTES],
    have: usize,
    /// The bytes of the payload that are left.
    left: usize,
    /// The payload is a part of a tunnel's header block.
    in_block: bool,
    /// A byte with the length of the padding comes first.
    padded: bool,
    padding: usize,
    /// The bytes of a priority that are left.
    priority: usize,
    at: At,
}

impl Relabel {
    /// Records that a stream asks for a tunnel.
    pub(super) fn begin(&self, stream: u32) {
        self.tunnels.borrow_mut().push(stream);
    }

    /// The stream has ended.
    pub(super) fn end(&self, stream: u32) {
        self.tunnels.borrow_mut().retain(|tunnel| *tunnel != stream);
    }

    /// Changes names in bytes that came, however they are cut.
    pub(super) fn received(&self, mut bytes: &mut [u8]) {
        let (tunnels, reading) = (self.tunnels.borrow(), &mut *self.reading.borrow_mut());
        while !bytes.is_empty() {
            if reading.left == 0 {
                let taken = bytes.len().min(FRAME_HEADER_BYTES - reading.have);
                reading.header[reading.have..reading.have + taken].copy_from_slice(&bytes[..taken]);
                reading.have += taken;
                bytes = &mut bytes[taken..];
                if reading.have == FRAME_HEADER_BYTES {
                    reading.begin(&tunnels);
                }
                continue;
            }
            let (payload, rest) = bytes.split_at_mut(reading.left.min(bytes.len()));
            if reading.in_block {
                for byte in payload.iter_mut() {
                    reading.payload(byte);
                }
            } else {
                reading.left -= payload.len();
            }
            bytes = rest;
        }
    }
}

impl Reading {
    fn begin(&mut self, tunnels: &[u32]) {
        let [high, middle, low, kind, flags, s0, s1, s2, s3] = self.header;
        self.have = 0;
        self.left = u32::from_be_bytes([0, high, middle, low]) as usize;
        let stream = u32::from_be_bytes([s0, s1, s2, s3]) & 0x7fff_ffff;
        self.in_block = matches!(kind, HEADERS | CONTINUATION) && tunnels.contains(&stream);
        if !self.in_block {
            return;
        }
        let is_first = kind == HEADERS;
        self.padded = is_first && flags & PADDED != 0;
        self.padding = 0;
        self.priority = if is_first && flags & PRIORITY != 0 { PRIORITY_BYTES } else { 0 };
        if is_first {
            self.at = At::Field;
        }
    }

    fn payload(&mut self, byte: &mut u8) {
        self.left -= 1;
        if std::mem::take(&mut self.padded) {
            self.padding = usize::from(*byte);
        } else if self.priority > 0 {
            self.priority -= 1;
        } else if self.left >= self.padding {
            self.at = self.at.next(byte);
        }
    }
}

impl At {
    /// Reads a byte of a header block, and changes it if it makes one of the two names.
    fn next(self, byte: &mut u8) -> Self {
        match self {
            Self::Field => Self::field(byte),
            Self::Rest => {
                if *byte & 0x80 == 0 {
                    Self::Field
                } else {
                    Self::Rest
                }
            }
            Self::Index => {
                if matches!(*byte, CONTENT_LENGTH_BEHIND | TRANSFER_ENCODING_BEHIND) {
                    *byte = IF_RANGE_BEHIND;
                }
                if *byte & 0x80 == 0 { Self::ValueLength } else { Self::IndexRest }
            }
            Self::IndexRest => {
                if *byte & 0x80 == 0 {
                    Self::ValueLength
                } else {
                    Self::IndexRest
                }
            }
            Self::NameLength => {
                let (coded, length) = (*byte & 0x80 != 0, usize::from(*byte & 0x7f));
                if length == 0x7f {
                    Self::NameLengthRest(length, 0, coded)
                } else {
                    Self::name(coded, length)
                }
            }
            Self::NameLengthRest(length, shift, coded) => match longer(length, shift, *byte) {
                (length, true) => Self::NameLengthRest(length, shift + 7, coded),
                (length, false) => Self::name(coded, length),
            },
            Self::Name(literal, have, left) => {
                let literal = literal.filter(|index| {
                    LITERALS.get(usize::from(*index)).is_some_and(|(_, name, _)| name.get(have) == Some(byte))
                });
                if left > 1 {
                    return Self::Name(literal, have + 1, left - 1);
                }
                if let Some((_, _, last)) = literal.and_then(|index| LITERALS.get(usize::from(index))) {
                    *byte = *last;
                }
                Self::ValueLength
            }
            Self::ValueLength => match usize::from(*byte & 0x7f) {
                0 => Self::Field,
                0x7f => Self::ValueLengthRest(0x7f, 0),
                length => Self::Value(length),
            },
            Self::ValueLengthRest(length, shift) => match longer(length, shift, *byte) {
                (length, true) => Self::ValueLengthRest(length, shift + 7),
                (length, false) => Self::Value(length),
            },
            Self::Value(1) => Self::Field,
            Self::Value(left) => Self::Value(left.saturating_sub(1)),
        }
    }

    /// Reads the first byte of a field.
    fn field(byte: &mut u8) -> Self {
        let (mark, index) = match *byte {
            indexed if indexed & 0x80 != 0 => (0x80, indexed & 0x7f),
            literal if literal & 0x40 != 0 => (0x40, literal & 0x3f),
            size if size & 0x20 != 0 => return if size & 0x1f == 0x1f { Self::Rest } else { Self::Field },
            literal => {
                return match literal & 0xf {
                    0 => Self::NameLength,
                    0xf => Self::Index,
                    _ => Self::ValueLength,
                };
            }
        };
        if matches!(index, CONTENT_LENGTH | TRANSFER_ENCODING) {
            *byte = mark | IF_RANGE;
        }
        match (mark, index) {
            (0x80, 0x7f) => Self::Rest,
            (0x80, _) => Self::Field,
            (_, 0) => Self::NameLength,
            (_, 0x3f) => Self::IndexRest,
            _ => Self::ValueLength,
        }
    }

    fn name(coded: bool, length: usize) -> Self {
        if length == 0 {
            return Self::ValueLength;
        }
        let fits = |(in_code, name, _): &(bool, &[u8], u8)| *in_code == coded && name.len() == length;
        let literal = LITERALS.iter().position(fits).and_then(|index| u8::try_from(index).ok());
        Self::Name(literal, 0, length)
    }
}

/// The indexes behind a prefix of 4 bits that is full (RFC 7541, 5.1).
const CONTENT_LENGTH_BEHIND: u8 = CONTENT_LENGTH - 0xf;
const TRANSFER_ENCODING_BEHIND: u8 = TRANSFER_ENCODING - 0xf;
const IF_RANGE_BEHIND: u8 = IF_RANGE - 0xf;

/// An integer with one more byte (RFC 7541, 5.1), and whether it goes on. h2 refuses one that is longer
/// than any length.
fn longer(length: usize, shift: u32, byte: u8) -> (usize, bool) {
    let more = usize::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
    (length.saturating_add(more), byte & 0x80 != 0)
}
