//! A request's line in the access log, taken from its head while the head's buffer is there.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::clock;
use crate::http1::RequestHead;
use crate::model::Color;
use crate::routing::HOOKS_PREFIX;

use crate::data_plane::client::after::After;
use crate::data_plane::worker::access::{AccessSink, Entry};

/// The outcome of a request, for the counts and the access log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub after: After,
    /// The status of the answer; `None` if no answer was begun.
    pub status: Option<u16>,
    /// Bytes sent to the client, heads included.
    pub bytes: u64,
    pub color: Option<Color>,
    pub endpoint: Option<SocketAddr>,
    pub attempts: u8,
    /// Why the request did not end well; `None` if it did.
    pub cause: Option<&'static str>,
}

impl Outcome {
    /// The outcome of a response that an origin began, or of a client that got no response.
    pub(crate) fn passed(after: After, status: Option<u16>, cause: Option<&'static str>) -> Self {
        Self { after, status, bytes: 0, color: None, endpoint: None, attempts: 0, cause }
    }

    /// The outcome of an answer of greenlight itself.
    pub(crate) fn answered(after: After, status: u16, bytes: u64) -> Self {
        Self { bytes, ..Self::passed(after, Some(status), None) }
    }
}

/// The part of a request's line that is known at its head.
#[derive(Debug)]
pub(crate) struct Line {
    client: IpAddr,
    method: String,
    host: String,
    path: String,
    request_id: String,
}

impl Line {
    pub(crate) fn new(head: &RequestHead, buf: &[u8], client: IpAddr, request_id: &[u8]) -> Self {
        let target = head.target.path.of(buf);
        let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
        Self {
            client,
            method: text(head.method_span.of(buf)),
            host: text(head.authority.of(buf)),
            path: text(cut_token(path)),
            request_id: text(request_id),
        }
    }

    /// Adds the line to the access log. `duration` is the time since the request's head was read.
    pub(crate) fn write(
        &self,
        access: &AccessSink,
        service: Option<&str>,
        outcome: &Outcome,
        duration: Duration,
    ) {
        access.add(&Entry {
            time: &clock::wall_rfc3339(),
            client: self.client,
            method: &self.method,
            host: &self.host,
            path: &self.path,
            status: outcome.status,
            bytes: outcome.bytes,
            duration_ms: (duration.as_secs_f64() * 1e6).round() / 1e3,
            service,
            color: outcome.color.map(Color::as_str),
            endpoint: outcome.endpoint,
            attempts: outcome.attempts,
            cause: outcome.cause.map(str::trim_end).filter(|cause| !cause.is_empty()),
            request_id: &self.request_id,
        });
    }
}

/// Cuts the token off a webhook's path. Of `/hooks/NAME/TOKEN` the log gets no more than `/hooks/NAME`,
/// on whichever listener the request came.
fn cut_token(path: &[u8]) -> &[u8] {
    let Some(rest) = path.strip_prefix(HOOKS_PREFIX) else { return path };
    let name = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
    &path[..HOOKS_PREFIX.len() + name]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
