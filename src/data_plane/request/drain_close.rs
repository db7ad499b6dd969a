//! One direction of a WebSocket connection, watched so that it can be ended in good order. A Close
//! frame (RFC 6455, 5.5.1) may stand only where one frame ends and before the next begins.

use crate::http1::{CLOSE_GOING_AWAY, FrameScanner, write_close};

/// How far the close has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    /// Our Close must be sent at the next end of a frame.
    Due,
    /// Our Close is sent, and nothing more passes. Further bytes are read only to find the Close that
    /// answers ours.
    Sent,
}

/// How many of the bytes that were read pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    All,
    /// So many bytes pass, and then our Close is sent.
    Until(usize),
    Nothing,
}

/// One direction of a WebSocket connection.
#[derive(Debug)]
pub(crate) struct DrainClose {
    scanner: FrameScanner,
    /// The mask of our Close: `Some` towards a server, since frames to a server are masked.
    mask: Option<[u8; 4]>,
    stage: Stage,
}

impl DrainClose {
    pub(crate) fn new(mask: Option<[u8; 4]>) -> Self {
        Self { scanner: FrameScanner::default(), mask, stage: Stage::Open }
    }

    /// Asks for our Close, unless the sender has sent its own. In that case the connection ends by
    /// itself.
    pub(crate) fn want_close(&mut self) {
        if self.stage == Stage::Open && !self.scanner.has_closed() {
            self.stage = Stage::Due;
        }
    }

    /// Takes bytes that were read, and says how many of them pass.
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

    /// Whether our Close must be sent now, behind the bytes that passed so far.
    pub(crate) fn is_due(&self) -> bool {
        self.stage == Stage::Due && self.scanner.at_boundary()
    }

    /// Writes our Close.
    pub(crate) fn say(&mut self, out: &mut Vec<u8>) {
        write_close(CLOSE_GOING_AWAY, self.mask, out);
        self.stage = Stage::Sent;
    }

    /// Whether our Close is written.
    pub(crate) fn has_said(&self) -> bool {
        self.stage == Stage::Sent
    }

    /// Whether the sender has sent its own Close.
    pub(crate) fn has_heard(&self) -> bool {
        self.scanner.has_closed()
    }

    /// Whether our Close is written and the sender has sent its own.
    pub(crate) fn is_answered(&self) -> bool {
        self.stage == Stage::Sent && self.scanner.has_closed()
    }
}
