//! The frames of a WebSocket connection, in one direction of a tunnel.

use super::CopyLoop;
use crate::data_plane::request::drain_close::{DrainClose, Passing};

impl CopyLoop {
    /// Says that the bytes are frames of a WebSocket connection.
    pub(crate) fn watch(&mut self, frames: DrainClose) {
        self.frames = Some(Box::new(frames));
    }

    /// Ends a WebSocket connection in this direction. A Close frame goes out at the next end of a
    /// frame.
    pub(crate) fn want_close(&mut self) {
        if let Some(frames) = &mut self.frames {
            frames.want_close();
        }
    }

    /// Whether greenlight's Close frame is written.
    pub(crate) fn has_said_close(&self) -> bool {
        self.frames.as_ref().is_some_and(|frames| frames.has_said()) && !self.is_blocked()
    }

    /// Whether the source of frames has sent its Close, so that no frame follows.
    pub(crate) fn has_heard_close(&self) -> bool {
        self.frames.as_ref().is_some_and(|frames| frames.has_heard())
    }

    /// The same as [`CopyLoop::prepare`] for frames of a WebSocket connection, which pass as they are.
    pub(super) fn prepare_frames(&mut self) {
        while self.pass == 0 && !self.ended {
            let Some(frames) = &mut self.frames else { return };
            if frames.is_due() {
                // If all of `out` is written, it is dropped now at the latest.
                if self.at == self.out.len() {
                    self.out.clear();
                    self.at = 0;
                }
                frames.say(&mut self.out);
            }
            let Some(chunk) = self.chunk.as_mut().filter(|chunk| !chunk.is_empty()) else { break };
            let length = chunk.data().len();
            match frames.pass(chunk.data()) {
                Passing::All => self.pass = length,
                Passing::Until(count) => {
                    self.out.extend_from_slice(&chunk.data()[..count]);
                    frames.say(&mut self.out);
                    chunk.consume(length);
                }
                Passing::Nothing => chunk.consume(length),
            }
            self.ended = frames.is_answered();
        }
    }
}
