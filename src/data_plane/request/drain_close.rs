//! One direction of a WebSocket connection, as far as it must be known to end it in good order: a
//! Close frame (RFC 6455, 5.5.1) may stand only where one frame ends and before the next begins.

use crate::http1::{CLOSE_GOING_AWAY, FrameScanner, write_close};

/// How far the ending is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    /// A Close is to be said at the next boundary.
    Due,
    /// Said: nothing more is passed on. What still comes is read for the Close that answers ours.
    Sent,
}

/// What is to be done with bytes that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    All,
    /// So many of them, then our Close.
    Until(usize),
    Nothing,
}

/// One direction.
#[derive(Debug)]
pub(crate) struct DrainClose {
    scanner: FrameScanner,
    /// Frames to a server are masked.
    mask: Option<[u8; 4]>,
    stage: Stage,
}

impl DrainClose {
    pub(crate) fn new(mask: Option<[u8; 4]>) -> Self {
        Self { scanner: FrameScanner::default(), mask, stage: Stage::Open }
    }

    /// A Close is to be said, unless the sender has said one: then it ends by itself.
    pub(crate) fn want_close(&mut self) {
        if self.stage == Stage::Open && !self.scanner.has_closed() {
            self.stage = Stage::Due;
        }
    }

    /// Takes bytes that were read.
    pub(crate) fn pass(&mut self, data: &[u8]) -> Passing {
        match self.stage {
            Stage::Open => {
                self.scanner.advance(data);
                Passing::All
            }
            Stage::Due => match self.scanner.advance_to_boundary(data) {
                None => Passing::All,
                // The sender's own Close has just passed.
                Some(_) if self.scanner.has_closed() => {
                    self.stage = Stage::Open;
                    Passing::All
                }
                Some(count) => {
                    self.scanner.advance(&data[count..]);
                    Passing::Until(count)
                }
            },
            Stage::Sent => {
                self.scanner.advance(data);
                Passing::Nothing
            }
        }
    }

    /// Whether a Close is to be said behind what was passed so far.
    pub(crate) fn is_due(&self) -> bool {
        self.stage == Stage::Due && self.scanner.at_boundary()
    }

    /// Says it.
    pub(crate) fn say(&mut self, out: &mut Vec<u8>) {
        write_close(CLOSE_GOING_AWAY, self.mask, out);
        self.stage = Stage::Sent;
    }

    /// Whether ours is said.
    pub(crate) fn has_said(&self) -> bool {
        self.stage == Stage::Sent
    }

    /// Whether the sender has said its own.
    pub(crate) fn has_heard(&self) -> bool {
        self.scanner.has_closed()
    }

    /// Whether the other side has answered it.
    pub(crate) fn is_answered(&self) -> bool {
        self.stage == Stage::Sent && self.scanner.has_closed()
    }
}
