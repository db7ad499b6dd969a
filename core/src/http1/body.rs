//! Reading a body. The payload is returned as ranges of the input. The result does not depend on how
//! the bytes of the body are cut into pieces.

use std::ops::Range;

use super::fault::BodyFault;
use super::framing::Framing;
use super::limits::{CHUNK_EXTENSION_BYTES_MAX, CHUNK_EXTENSIONS_BYTES_MAX, HeadLimits};
use super::trailer::{TrailerReader, Trailers};

/// The result of one call of [`BodyReader::read`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// The number of input bytes that the reader has taken. If that is not the whole input and the
    /// body is not done, call again with the rest.
    pub consumed: usize,
    /// The payload among the taken bytes, as a range of the input. It may be empty.
    pub data: Range<usize>,
    /// Whether the body is complete. The input bytes behind `consumed` then do not belong to it.
    pub done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Length,
    ToEnd,
    /// In a chunk's size, after this many digits.
    Size(u8),
    /// In the blanks behind a chunk's size, after this many of them.
    Blanks(u32),
    /// In a chunk's extension, after this many bytes of it.
    Extension(u32),
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// After the line of the last chunk. Either a CR or the first trailer comes next.
    Last,
    LastLf,
    Trailers,
    Done,
    Failed(BodyFault),
}

/// Reads one body. The value is small, and allocates only when trailers come.
#[derive(Debug)]
pub struct BodyReader {
    phase: Phase,
    /// Bytes that are still to come, of the body ([`Framing::Length`]) or of the current chunk.
    left: u64,
    /// Bytes of all chunk extensions that have come so far.
    extensions: u32,
    limits: HeadLimits,
    trailers: Option<Box<TrailerReader>>,
    /// Whether the body is a response's. Blanks behind a chunk's size are accepted then, and the payload
    /// before a fault is returned.
    response: bool,
}

impl BodyReader {
    /// A reader for a body with this framing. It accepts no blank around a chunk's size. The limits
    /// apply to the trailer section.
    pub fn new(framing: Framing, limits: &HeadLimits) -> Self {
        let (phase, left) = match framing {
            Framing::None | Framing::Length(0) => (Phase::Done, 0),
            Framing::Length(length) => (Phase::Length, length),
            Framing::Chunked => (Phase::Size(0), 0),
            Framing::ToEnd => (Phase::ToEnd, 0),
        };
        Self { phase, left, extensions: 0, limits: *limits, trailers: None, response: false }
    }

    /// A reader of a response's body. It accepts blanks behind a chunk's size, at the end of the line or
    /// before the `;` of an extension (RFC 9110, 5.6.3). Old servers pad the size, and the body is
    /// framed anew for the client, so no second parser reads the blanks. It returns the payload before a
    /// fault, and the fault at the next call. A request's reader returns the fault alone, so that less of a
    /// malformed request reaches an origin.
    pub fn of_response(framing: Framing, limits: &HeadLimits) -> Self {
        Self { response: true, ..Self::new(framing, limits) }
    }

    /// Whether the body is complete, trailers included.
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Whether the next byte is payload. Otherwise it is framing, or no byte of the body is to come.
    pub fn is_at_payload(&self) -> bool {
        matches!(self.phase, Phase::Length | Phase::ToEnd | Phase::Data)
    }

    /// The trailers that may pass. `None` before the end of the body, and if no trailer may pass.
    pub fn trailers(&self) -> Option<&Trailers> {
        let reader = self.trailers.as_ref().filter(|_| self.is_done())?;
        Some(reader.trailers()).filter(|trailers| !trailers.is_empty())
    }

    /// Takes the next bytes of the body. Takes at least one byte of an input that is not empty, unless
    /// the body is done.
    ///
    /// # Errors
    /// The bytes break the chunk grammar or a limit. Every later call returns the same fault.
    pub fn read(&mut self, input: &[u8]) -> Result<Piece, BodyFault> {
        match self.phase {
            Phase::Done => Ok(Piece { consumed: 0, data: 0..0, done: true }),
            Phase::Failed(fault) => Err(fault),
            Phase::ToEnd => Ok(Piece { consumed: input.len(), data: 0..input.len(), done: false }),
            Phase::Length => {
                let taken = self.take(input.len());
                if self.left == 0 {
                    self.phase = Phase::Done;
                }
                Ok(Piece { consumed: taken, data: 0..taken, done: self.is_done() })
            }
            _ => self.read_chunks(input).inspect_err(|&fault| self.phase = Phase::Failed(fault)),
        }
    }

    /// Tells the reader that the sender has closed its side with a FIN. A reset, or the end of TLS
    /// without close_notify, is an abnormal end that the caller handles itself.
    ///
    /// # Errors
    /// [`BodyFault::Truncated`] if the body is not complete; the earlier fault if there was one.
    pub fn end(&mut self) -> Result<(), BodyFault> {
        match self.phase {
            Phase::Done => Ok(()),
            Phase::ToEnd => {
                self.phase = Phase::Done;
                Ok(())
            }
            Phase::Failed(fault) => Err(fault),
            _ => {
                self.phase = Phase::Failed(BodyFault::Truncated);
                Err(BodyFault::Truncated)
            }
        }
    }

    /// Takes up to `available` bytes off `left` and returns how many it took.
    fn take(&mut self, available: usize) -> usize {
        let taken = usize::try_from(self.left).map_or(available, |left| left.min(available));
        self.left -= taken as u64;
        taken
    }

    /// Reads on until a second piece of payload would begin. So one call is enough for the end of a
    /// chunk and the size line of the next one.
    fn read_chunks(&mut self, input: &[u8]) -> Result<Piece, BodyFault> {
        let mut at = 0;
        let mut data = 0..0;
        while at < input.len() && self.phase != Phase::Done {
            if self.phase == Phase::Data {
                if !data.is_empty() {
                    break;
                }
                let taken = self.take(input.len() - at);
                data = at..at + taken;
                at += taken;
                if self.left == 0 {
                    self.phase = Phase::DataCr;
                }
            } else {
                self.phase = match self.step(input[at]) {
                    Err(fault) if self.response && !data.is_empty() => {
                        self.phase = Phase::Failed(fault);
                        break;
                    }
                    stepped => stepped?,
                };
                at += 1;
            }
        }
        Ok(Piece { consumed: at, data, done: self.is_done() })
    }

    /// Takes one byte that is not payload (RFC 9112, 7.1). White space around the size is refused in a
    /// request, though the RFC lets a recipient accept it, because parsers differ in where they allow it.
    fn step(&mut self, byte: u8) -> Result<Phase, BodyFault> {
        match (self.phase, byte) {
            (Phase::Size(1..) | Phase::Blanks(_) | Phase::Extension(_), b'\r') => Ok(Phase::SizeLf),
            (Phase::Size(1..), b';') => self.extension(1),
            (Phase::Blanks(bytes), b';') => self.extension(bytes + 1),
            (Phase::Size(1..), b' ' | b'\t') if self.response => self.blank(1),
            (Phase::Blanks(bytes), b' ' | b'\t') => self.blank(bytes + 1),
            (Phase::Size(digits), byte) => self.size_digit(digits, byte),
            (Phase::Extension(bytes), byte) if byte == b'\t' || (byte >= b' ' && byte != 0x7f) => {
                self.extension(bytes + 1)
            }
            (Phase::Extension(_), _) => Err(BodyFault::ChunkExtension),
            (Phase::SizeLf, b'\n') => Ok(if self.left == 0 { Phase::Last } else { Phase::Data }),
            (Phase::Blanks(_) | Phase::SizeLf, _) => Err(BodyFault::ChunkSize),
            (Phase::DataCr, b'\r') => Ok(Phase::DataLf),
            (Phase::DataLf, b'\n') => Ok(Phase::Size(0)),
            (Phase::Last, b'\r') => Ok(Phase::LastLf),
            (Phase::LastLf, b'\n') => Ok(Phase::Done),
            (Phase::LastLf, _) => Err(BodyFault::Trailer),
            (Phase::Last | Phase::Trailers, byte) => {
                let reader = self.trailers.get_or_insert_default();
                Ok(if reader.step(byte, &self.limits)? { Phase::Done } else { Phase::Trailers })
            }
            // A chunk's data must be followed by CRLF. The other phases never reach this function,
            // because they are not read byte by byte.
            _ => Err(BodyFault::ChunkEnd),
        }
    }

    fn size_digit(&mut self, digits: u8, byte: u8) -> Result<Phase, BodyFault> {
        let digit = char::from(byte).to_digit(16).ok_or(BodyFault::ChunkSize)?;
        if digits == 16 {
            return Err(BodyFault::ChunkSize);
        }
        self.left = (self.left << 4) | u64::from(digit);
        Ok(Phase::Size(digits + 1))
    }

    /// Blanks count as bytes of an extension, so that the same limits bound them.
    fn blank(&mut self, bytes: u32) -> Result<Phase, BodyFault> {
        self.extension(bytes).map(|_| Phase::Blanks(bytes))
    }

    fn extension(&mut self, bytes: u32) -> Result<Phase, BodyFault> {
        self.extensions += 1;
        if bytes > CHUNK_EXTENSION_BYTES_MAX || self.extensions > CHUNK_EXTENSIONS_BYTES_MAX {
            return Err(BodyFault::ChunkExtension);
        }
        Ok(Phase::Extension(bytes))
    }
}
