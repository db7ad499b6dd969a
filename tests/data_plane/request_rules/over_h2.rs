//! How a row reaches the front door over HTTP/2, and how that ends.

use std::net::SocketAddr;

use super::meaning::{Asked, H2};
use greenlight_testkit::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, RST_STREAM, Raw, block, frame,
    status,
};

/// The largest frame that a peer takes without having said so (RFC 9113, 6.5.2).
const FRAME_BYTES_MAX: usize = 16 * 1024;

/// Where a request is cut.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    Nowhere,
    /// The header block: HEADERS before this byte, CONTINUATION from it on.
    Head(usize),
    /// The body: one DATA frame before this byte, one from it on.
    Body(usize),
    /// The frames as bytes: two writes.
    Write(usize),
    /// Each byte is written by itself.
    Bytes,
}

/// Every place where a request can be cut; those over `most` bytes are cut at some places only.
pub(super) fn cuts(asked: &Asked, most: usize) -> Vec<Cut> {
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
fn frames(asked: &Asked, cut: Cut) -> Vec<u8> {
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

/// A header block in frames, cut at a byte (0: nowhere).
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

/// Sends a request on a connection of its own and tells what became of it; whatever that is, the connection
/// is as good as ever, or has ended.
pub(super) fn outcome(address: SocketAddr, asked: &Asked, cut: Cut) -> H2 {
    let mut raw = Raw::connect(address);
    let bytes = frames(asked, cut);
    let pieces: Vec<&[u8]> = match cut {
        Cut::Write(at) => vec![&bytes[..at], &bytes[at..]],
        Cut::Bytes => bytes.chunks(1).collect(),
        Cut::Nowhere | Cut::Head(_) | Cut::Body(_) => vec![&bytes],
    };
    for piece in pieces {
        // A front door that has refused the first piece and gone is no fault.
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

/// What a frame says of its request's end.
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

/// Whether a request has ended as expected. A malformed head in more than one frame is one of h2's faults: cut
/// between two fields it ends its connection, not its stream alone (RFC 9113, 5.4, allows that); cut inside a field h2
/// leaves out what was malformed before the cut, and goes on.
pub(super) fn fits(end: H2, expected: H2, cut: Cut) -> bool {
    let (H2::Reset(code), Cut::Head(_)) = (expected, cut) else { return end == expected };
    end == expected || end == H2::Goaway(code) || end == H2::Passes
}
