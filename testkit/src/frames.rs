//! Frames made by hand (RFC 9113, 4 and 6), with heads in the simplest HPACK there is: literals that
//! nobody remembers.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::client::PATIENCE;
use crate::front::HOST;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    /// The code of a GOAWAY or a RST_STREAM.
    pub fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A header block: literals without indexing, names new (RFC 7541, 6.2.2).
pub fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            integer(text.len(), &mut bytes);
            bytes.extend_from_slice(text);
        }
    }
    bytes
}

/// The status of a connection's first response, from its header block: an index of the static table,
/// or a literal with a name from there (RFC 7541, 6.1, 6.2 and appendix A).
pub fn status(block: &[u8]) -> u16 {
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    match block {
        [index @ 0x88..=0x8e, ..] => INDEXED[usize::from(index - 0x88)],
        [0x08..=0x0e | 0x48..=0x4e, length, rest @ ..] => {
            let text = &rest[..usize::from(length & 0x7f)];
            let fits = |status: &u16| {
                let digits = status.to_string();
                if length & 0x80 == 0 { text == digits.as_bytes() } else { text == huffman(&digits) }
            };
            (100..600).find(fits).expect("a status")
        }
        other => panic!("no status first: {other:?}"),
    }
}

/// Digits in Huffman's code (RFC 7541, appendix B): 5 bits for 0 to 2, 6 for the others, then ones.
fn huffman(digits: &str) -> Vec<u8> {
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits.bytes().map(|digit| u32::from(digit - b'0')) {
        let (code, length) = if digit < 3 { (digit, 5) } else { (0x19 + digit - 3, 6) };
        bits = bits << length | code;
        count += length;
    }
    let padding = (8 - count % 8) % 8;
    let bits = bits << padding | ((1 << padding) - 1);
    bits.to_be_bytes()[4 - (count + padding) / 8..].to_vec()
}

/// An integer with a prefix of 7 bits (RFC 7541, 5.1).
fn integer(mut value: usize, out: &mut Vec<u8>) {
    if value < 127 {
        out.push(u8::try_from(value).unwrap());
        return;
    }
    out.push(127);
    value -= 127;
    while value >= 128 {
        out.push(u8::try_from(value % 128 + 128).unwrap());
        value /= 128;
    }
    out.push(u8::try_from(value).unwrap());
}

/// The fields of `GET path` on [`HOST`], and more.
pub fn get<'a>(path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<u8> {
    let begin = [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", HOST)];
    block(&[&begin, more].concat())
}

/// A connection of frames.
#[derive(Debug)]
pub struct Raw {
    pub socket: TcpStream,
    buffer: Vec<u8>,
}

impl Raw {
    /// Connects and sends nothing.
    pub fn silent(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, buffer: Vec::new() }
    }

    /// Connects, and exchanges settings.
    pub fn connect(address: SocketAddr) -> Self {
        let mut raw = Self::silent(address);
        raw.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
        raw.until(|frame| frame.kind == SETTINGS && frame.flags & ACK == 0).expect("settings");
        raw.send(&frame(SETTINGS, ACK, 0, &[]));
        raw
    }

    /// The same socket, for another thread.
    #[must_use]
    pub fn try_clone(&self) -> Self {
        Self { socket: self.socket.try_clone().unwrap(), buffer: self.buffer.clone() }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).expect("the front door reads");
    }

    /// Sends until the other side has had enough; false if it took everything.
    pub fn flood(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).is_err()
    }

    /// The next frame; `None` at the connection's end.
    pub fn next_frame(&mut self) -> Option<Frame> {
        while self.buffer.len() < 9 {
            self.more()?;
        }
        let length = usize::from(self.buffer[0]) << 16
            | usize::from(self.buffer[1]) << 8
            | usize::from(self.buffer[2]);
        while self.buffer.len() < 9 + length {
            self.more()?;
        }
        let bytes: Vec<u8> = self.buffer.drain(..9 + length).collect();
        let stream = u32::from_be_bytes(bytes[5..9].try_into().unwrap());
        Some(Frame { kind: bytes[3], flags: bytes[4], stream, payload: bytes[9..].to_vec() })
    }

    /// Reads until a frame fits; `None` at the connection's end.
    pub fn until(&mut self, fits: impl Fn(&Frame) -> bool) -> Option<Frame> {
        loop {
            let frame = self.next_frame()?;
            if fits(&frame) {
                return Some(frame);
            }
        }
    }

    /// Reads to the connection's end: the code of the GOAWAY, if there was one.
    pub fn end(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.next_frame() {
            if frame.kind == GOAWAY {
                code = Some(frame.code());
            }
        }
        code
    }

    /// Whether the connection still answers.
    pub fn is_alive(&mut self) -> bool {
        let ping = frame(PING, 0, 0, b"alive?!.");
        self.socket.write_all(&ping).is_ok()
            && self.until(|frame| frame.kind == PING && frame.payload == b"alive?!.").is_some()
    }

    fn more(&mut self) -> Option<()> {
        let mut bytes = [0; 16 * 1024];
        match self.socket.read(&mut bytes) {
            Ok(0) => None,
            Ok(count) => {
                self.buffer.extend_from_slice(&bytes[..count]);
                Some(())
            }
            Err(why) if matches!(why.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => None,
            Err(why) => panic!("the connection stays open and silent: {why}"),
        }
    }
}
