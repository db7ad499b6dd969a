//! Server-sent events, read as they come (WHATWG HTML section 9.2.6, as far as greenlight sends).

use std::collections::VecDeque;

use reqwest::Response;

use crate::control_plane::controller::EventView;

/// The longest event that is taken, in bytes.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Why a stream can't be read on; the follower opens it anew.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamFault {
    #[error("the connection broke: {0}")]
    Broken(#[from] reqwest::Error),
    #[error("an event is longer than {EVENT_BYTES_MAX} bytes")]
    TooLong,
}

/// Bytes in, events out.
#[derive(Debug, Default)]
pub(super) struct Parser {
    rest: Vec<u8>,
    data: String,
    ready: VecDeque<EventView>,
}

impl Parser {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), StreamFault> {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            self.line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
        }
        if self.rest.len() + self.data.len() > EVENT_BYTES_MAX { Err(StreamFault::TooLong) } else { Ok(()) }
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            // A comment, or data of a shape that a later greenlight may send, is passed over.
            if let Ok(event) = serde_json::from_str(&std::mem::take(&mut self.data)) {
                self.ready.push_back(event);
            }
        } else if let Some(data) = line.strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
    }

    pub(super) fn pop(&mut self) -> Option<EventView> {
        self.ready.pop_front()
    }
}

/// An open stream.
#[derive(Debug)]
pub(super) struct EventStream {
    response: Response,
    parser: Parser,
}

impl EventStream {
    pub(super) fn new(response: Response) -> Self {
        Self { response, parser: Parser::default() }
    }

    /// The next event; `None` when the stream has ended. Nothing is lost when it is dropped while waiting.
    pub(super) async fn next(&mut self) -> Result<Option<EventView>, StreamFault> {
        loop {
            if let Some(event) = self.parser.pop() {
                return Ok(Some(event));
            }
            match self.response.chunk().await? {
                Some(bytes) => self.parser.push(&bytes)?,
                None => return Ok(None),
            }
        }
    }
}
