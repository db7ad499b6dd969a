//! Sends a row to the door over HTTP/2 and reads how the request ends.

use std::net::SocketAddr;

use super::meaning::{H2, Http2Request};
use greenlight_testkit::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, RST_STREAM, Raw, block, frame,
    status,
};

/// The default of SETTINGS_MAX_FRAME_SIZE in bytes (RFC 9113, 6.5.2).
const FRAME_BYTES_MAX: usize = 16 * 1024;

/// Where a request is cut.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    Nowhere,
    /// The header block is cut at this byte. The first part is in HEADERS, the second in CONTINUATION.
    Head(usize),
    /// The body is cut at this byte. Each part is a DATA frame.
    Body(usize),
    /// The frames stay as they are, and are sent in two writes that meet at this byte.
    Write(usize),
    /// The frames stay as they are, and each byte is a write of its own.
    Bytes,
}

/// Every way in which a request can be cut. A part of more than `most` bytes is cut at evenly spaced bytes
/// only.
pub(super) fn cuts(asked: &Http2Request, most: usize) -> Vec<Cut> {
    let places = |length: usize| (1..length).step_by(length / most + 1);
    let written = frames(asked, Cut::Nowhere).len();
    let mut all = vec![Cut::Nowhere];
    all.extend(places(block(&asked.fields).len()).map(Cut::Head));
    all.extend(places(asked.body.len()).map(Cut::Body));
    all.extend(places(written).map(Cut::Write));
    if written <= most {
        all.push(Cut::Bytes);
    }
    all
}

/// The frames of a request on stream 1.
fn frames(asked: &Http2Request, cut: Cut) -> Vec<u8> {
    let has_trailers = !asked.trailers.is_empty();
    let has_body = !asked.body.is_empty() || has_trailers;
    let at = if let Cut::Head(at) = cut { at } else { 0 };
    let mut bytes = head(&block(&asked.fields), at, !has_body);
    let at = if let Cut::Body(at) = cut { at } else { 0 };
    let (first, second) = asked.body.split_at(at);
    if !first.is_empty() {
        bytes.extend(frame(DATA, 0, 1, first));
    }
    if !second.is_empty() {
        bytes.extend(frame(DATA, if has_trailers { 0 } else { END_STREAM }, 1, second));
    }
    if has_trailers {
        bytes.extend(head(&block(&asked.trailers), 0, true));
    }
    bytes
}

/// Puts a header block into frames, cut at the byte `at`. With 0 it is not cut.
fn head(block: &[u8], at: usize, ends: bool) -> Vec<u8> {
    let (first, second) = block.split_at(at);
    let mut pieces: Vec<&[u8]> = first.chunks(FRAME_BYTES_MAX).collect();
    pieces.extend(second.chunks(FRAME_BYTES_MAX));
    let last = pieces.len() - 1;
    let mut bytes = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let kind = if index == 0 { HEADERS } else { CONTINUATION };
        let flags =
            if index == last { END_HEADERS } else { 0 } | if index == 0 && ends { END_STREAM } else { 0 };
        bytes.extend(frame(kind, flags, 1, piece));
    }
    bytes
}

/// Sends a request on a connection of its own and returns how it ended. Afterwards the connection still
/// answers, or it has ended with a GOAWAY.
pub(super) fn outcome(address: SocketAddr, asked: &Http2Request, cut: Cut) -> H2 {
    let mut raw = Raw::connect(address);
    let bytes = frames(asked, cut);
    let pieces: Vec<&[u8]> = match cut {
        Cut::Write(at) => vec![&bytes[..at], &bytes[at..]],
        Cut::Bytes => bytes.chunks(1).collect(),
        Cut::Nowhere | Cut::Head(_) | Cut::Body(_) => vec![&bytes],
    };
    for piece in pieces {
        // The door may refuse the first piece and end the connection. Then the rest is not sent.
        if raw.flood(piece) {
            break;
        }
        std::thread::yield_now();
    }
    let end = loop {
        let answer = raw.until(|frame| frame.stream == 1 || frame.kind == GOAWAY).expect("an answer");
        if let Some(end) = ended(&answer) {
            break end;
        }
    };
    if matches!(end, H2::Goaway(_)) {
        raw.end();
    } else {
        assert!(raw.is_alive(), "the connection stays: {cut:?} of {asked}");
    }
    end
}

/// How this frame ends its request. `None` if it does not, as an interim head.
fn ended(frame: &Frame) -> Option<H2> {
    match frame.kind {
        GOAWAY => Some(H2::Goaway(frame.code())),
        RST_STREAM => Some(H2::Reset(frame.code())),
        HEADERS => match status(&frame.payload) {
            ..200 => None,
            200 => Some(H2::Passes),
            status => Some(H2::Status(status)),
        },
        _ => None,
    }
}

/// Whether a request has ended as expected.
///
/// For a malformed head in more than one frame `h2` behaves differently, so three ends are right. If the head
/// is cut between two fields, `h2` ends the connection and not only the stream (RFC 9113, 5.4, allows that).
/// If the head is cut inside a field, `h2` leaves out the malformed fields before the cut, and goes on.
pub(super) fn fits(end: H2, expected: H2, cut: Cut) -> bool {
    let (H2::Reset(code), Cut::Head(_)) = (expected, cut) else { return end == expected };
    end == expected || end == H2::Goaway(code) || end == H2::Passes
}
