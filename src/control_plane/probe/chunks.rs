//! Decodes the chunked transfer coding of an answer's body (RFC 9112 section 7.1), as far as a
//! probe needs it. It returns the data, skips extensions and does not read trailers. This file is
//! pure.

/// The most hexadecimal digits of a chunk's size.
const DIGITS_MAX: u8 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size { digits: u8, size: u64 },
    Extension { size: u64 },
    SizeLf { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    End,
}

/// A decoder of the chunked coding. The bytes may be split anywhere.
#[derive(Debug)]
pub(crate) struct Chunks(State);

impl Chunks {
    pub(crate) fn new() -> Self {
        Self(State::Size { digits: 0, size: 0 })
    }

    /// Appends the data in `input` to `body`. Returns true once the last chunk was seen. Fails with
    /// a reason if the coding is malformed.
    pub(crate) fn take(&mut self, mut input: &[u8], body: &mut Vec<u8>) -> Result<bool, &'static str> {
        while let Some((&byte, rest)) = input.split_first() {
            if let State::Data { left } = self.0 {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                body.extend_from_slice(&input[..here]);
                input = &input[here..];
                let left = left - here as u64;
                self.0 = if left == 0 { State::DataCr } else { State::Data { left } };
                continue;
            }
            self.0 = step(self.0, byte)?;
            if self.0 == State::End {
                return Ok(true);
            }
            input = rest;
        }
        Ok(self.0 == State::End)
    }
}

fn step(state: State, byte: u8) -> Result<State, &'static str> {
    Ok(match (state, byte) {
        (State::Size { digits, size }, _) if byte.is_ascii_hexdigit() => {
            if digits == DIGITS_MAX {
                return Err("a chunk's size has more than 16 digits");
            }
            let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
            State::Size { digits: digits + 1, size: size << 4 | digit }
        }
        (State::Size { digits: 0, .. }, _) => return Err("a chunk without a size"),
        (State::Size { size, .. } | State::Extension { size }, b'\r') => State::SizeLf { size },
        (State::Size { size, .. }, b';' | b' ' | b'\t') => State::Extension { size },
        (State::Size { .. }, _) => return Err("a chunk's size is not hexadecimal"),
        (State::Extension { .. }, b'\n') => return Err("a bare LF after a chunk's size"),
        (State::Extension { size }, _) => State::Extension { size },
        (State::SizeLf { size: 0 }, b'\n') | (State::End, _) => State::End,
        (State::SizeLf { size }, b'\n') => State::Data { left: size },
        (State::SizeLf { .. }, _) => return Err("a bare CR after a chunk's size"),
        (State::DataCr, b'\r') => State::DataLf,
        (State::DataLf, b'\n') => State::Size { digits: 0, size: 0 },
        (State::Data { .. } | State::DataCr | State::DataLf, _) => {
            return Err("a chunk is longer than its size");
        }
    })
}
