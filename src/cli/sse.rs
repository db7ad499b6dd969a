//! A reader of server-sent events (WHATWG HTML section 9.2.6). It supports only the part of the format that
//! greenlight sends, and takes the whole event from its `data` fields.

use std::collections::VecDeque;

use reqwest::Response;

use crate::control_plane::controller::EventView;

/// The longest event that the reader accepts, in bytes.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// The reason why a stream can't be read any further. The follower opens a new one.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamFault {
    #[error("the connection broke: {0}")]
    Broken(#[from] reqwest::Error),
    #[error("an event is longer than {EVENT_BYTES_MAX} bytes")]
    TooLong,
}

/// Turns bytes into events.
#[derive(Debug, Default)]
pub(super) struct Parser {
    rest: Vec<u8>,
    data: String,
    ready: VecDeque<EventView>,
}

impl Parser {
    /// Adds the next bytes of the stream. Fails when an event becomes longer than [`EVENT_BYTES_MAX`].
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
            // Comments, and data in a shape that a later version of greenlight may send, are ignored.
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

    /// The oldest complete event that has not been taken yet.
    pub(super) fn pop(&mut self) -> Option<EventView> {
        self.ready.pop_front()
    }
}

/// An open stream of events.
#[derive(Debug)]
pub(super) struct EventStream {
    response: Response,
    parser: Parser,
}

impl EventStream {
    pub(super) fn new(response: Response) -> Self {
        Self { response, parser: Parser::default() }
    }

    /// Waits for the next event; `None` when the stream has ended. No event is lost when the caller drops
    /// this future while it waits.
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
