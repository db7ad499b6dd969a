//! One request on one connection to an origin: the request goes up while the response comes down.
//!
//! One task drives both directions by hand, because each of them can end the other. A complete response
//! ends an upload. A malformed upload ends the request to the origin. The one deadline of the
//! connection belongs to the side that is being waited for.

mod awaited;
mod waiting;

use std::future::poll_fn;
use std::task::{Context, Poll};

use crate::http1::{
    Answer, BodyFault, BodyReader, CONTINUE, Framing, HeadLimits, HeadProgress, INFORMATIONAL_BYTES_MAX,
    Persistence, RequestContext, ResponseClass, ResponseHead, Sending, parse_response, write_informational,
    write_response,
};

use super::answer::Own;
use super::copy_loop::{CopyEnd, CopyLoop};
use super::drain_close::DrainClose;
use super::ending::{Ending, HeadOutcome};
use super::facts::Facts;
use super::grpc;
use crate::data_plane::origin::slot::InFlight;
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::chunk::Chunk;
use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::Worker;
use awaited::{Progress, Waiting};

/// The most bytes that are read of a client's next requests while one is served.
pub(crate) const AHEAD_BYTES_MAX: usize = 16 * 1024;

/// The name of the HSTS field (RFC 6797, 6.1).
const HSTS: &str = "Strict-Transport-Security";

/// The part of a response head that is needed later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseSummary {
    pub heard: HeadOutcome,
    /// Whether the client's connection is kept after the response.
    pub keep: bool,
    /// The body ends with the connection. Such a body needs a reset to end abnormally.
    pub to_end: bool,
    reusable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Head,
    Body,
    Tunnel,
}

/// The client's side of an exchange, lent by its connection.
#[derive(Debug)]
pub(crate) struct ClientSide<'c> {
    pub stream: &'c mut Stream,
    /// Bytes that the client sent behind this request.
    pub ahead: &'c mut Vec<u8>,
    /// The client has sent its FIN.
    pub ended: &'c mut bool,
}

/// Fields that greenlight adds to the response.
type Extra<'c> = [Option<(&'c str, &'c str)>; 2];

/// The exchange of one attempt.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the two directions end on their own")]
pub(crate) struct Exchange<'c> {
    worker: &'c Worker,
    handle: &'c ConnectionHandle,
    facts: &'c Facts,
    client: ClientSide<'c>,
    upstream: &'c mut Stream,
    upload: &'c mut CopyLoop,
    upload_done: bool,
    /// The origin reads no more of the request, but its response may still come.
    upload_broken: bool,
    /// Kept by the caller, so that unsent bytes can go before an answer of greenlight itself.
    download: &'c mut CopyLoop,
    phase: Phase,
    waiting: Waiting,
    /// A response head that is not complete yet.
    partial: Vec<u8>,
    /// How far the search for the end of that head has come.
    progress: HeadProgress,
    /// The body is a stream of events, which may be silent for as long as nothing happens.
    streams: bool,
    /// The bytes of the interim heads that have come so far.
    interim: usize,
    /// The response has turned malformed. The part before that still goes to the client.
    broken: bool,
    seen: Option<ResponseSummary>,
    extra: Extra<'c>,
}

impl<'c> Exchange<'c> {
    #[expect(clippy::too_many_arguments, reason = "the parts of one value, borrowed from three owners")]
    pub(crate) fn new(
        worker: &'c Worker,
        handle: &'c ConnectionHandle,
        facts: &'c Facts,
        client: ClientSide<'c>,
        upstream: &'c mut Stream,
        upload: &'c mut CopyLoop,
        download: &'c mut CopyLoop,
        extra: Extra<'c>,
    ) -> Self {
        if facts.expect_continue && !upload.has_rest() {
            download.head().extend_from_slice(CONTINUE);
        }
        Self {
            worker,
            handle,
            facts,
            client,
            upstream,
            upload,
            upload_done: false,
            upload_broken: false,
            download,
            phase: Phase::Head,
            waiting: Waiting::Nothing,
            partial: Vec::new(),
            progress: HeadProgress::default(),
            interim: 0,
            streams: facts.is_grpc,
            broken: false,
            seen: None,
            extra,
        }
    }

    /// Runs the exchange to its end. Calls `heard` once, when the response head is there; its result
    /// says whether the response is passed on. The body's progress is noted at `inflight`.
    pub(crate) async fn run(
        mut self,
        inflight: &InFlight,
        mut heard: impl FnMut(HeadOutcome) -> bool,
    ) -> (Ending, Option<ResponseSummary>) {
        let ending = poll_fn(|context| self.poll(context, inflight, &mut heard)).await;
        (ending, self.seen)
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        inflight: &InFlight,
        heard: &mut impl FnMut(HeadOutcome) -> bool,
    ) -> Poll<Ending> {
        let mut moved = Progress::default();
        let signals = self.handle.signals();
        if signals.cut() {
            return Poll::Ready(Ending::Cut);
        }
        if self.client.stream.poll_given_up(context).is_ready() {
            return Poll::Ready(Ending::ClientGone);
        }
        let was_tunnel = self.phase == Phase::Tunnel;
        if signals.drain_close() {
            self.download.want_close();
            self.upload.want_close();
        }
        if let Some(ending) = self.poll_upload(context, &mut moved.up) {
            return Poll::Ready(ending);
        }
        if self.phase == Phase::Head
            && let Some(ending) = self.poll_head(context, heard, &mut moved.down)
        {
            return Poll::Ready(ending);
        }
        if self.phase != Phase::Head
            && let Some(ending) = self.poll_download(context, &mut moved.down)
        {
            return Poll::Ready(ending);
        }
        // A tunnel that has just begun is read from the client's side at once. The client may have sent
        // its first bytes and its FIN before it got the 101 (RFC 9110, 7.8), and the origin may wait for
        // them. A stream of HTTP/2 gives them only behind the 101.
        if self.phase == Phase::Tunnel
            && !was_tunnel
            && let Some(ending) = self.poll_upload(context, &mut moved.up)
        {
            return Poll::Ready(ending);
        }
        if let Some(ending) = self.poll_client(context) {
            return Poll::Ready(ending);
        }
        // The client has answered our Close frame, or has disconnected. Anything that the origin still
        // sends has no recipient.
        if self.phase == Phase::Tunnel && self.upload_done && self.download.has_said_close() {
            return Poll::Ready(Ending::Complete { reusable: false, failed: false });
        }
        // A body that stands still counts as slow, unless its client is, or it may be silent.
        let due = self.phase == Phase::Body && !self.streams && !self.download.is_blocked();
        inflight.body(moved.down, due);
        self.wait(moved)
    }

    /// Moves the request towards the origin.
    fn poll_upload(&mut self, context: &mut Context<'_>, moved: &mut bool) -> Option<Ending> {
        if self.upload_done || self.upload_broken {
            return None;
        }
        let sides = (&mut *self.client.stream, &mut *self.upstream);
        let Poll::Ready(end) = self.upload.poll(context, sides, &self.worker.chunks, moved) else {
            return None;
        };
        match end {
            CopyEnd::Complete => {
                self.upload_done = true;
                if self.phase == Phase::Tunnel {
                    *self.client.ended = true;
                    // Bytes that wait for room leave while the other direction goes on.
                    let _ = self.upstream.poll_finish(context);
                } else if let Some(rest) = self.upload.take_rest() {
                    self.client.ahead.extend_from_slice(rest.data());
                }
                None
            }
            // A FIN inside a body ends the request to the origin.
            CopyEnd::SourceGone => Some(Ending::ClientGone),
            CopyEnd::DestinationGone => {
                self.upload_broken = true;
                None
            }
            CopyEnd::Malformed(fault) => Some(Ending::BadBody(fault)),
            CopyEnd::TooLarge => Some(Ending::BodyTooLarge),
        }
    }

    /// Waits for the response's head, and passes interim heads on.
    fn poll_head(
        &mut self,
        context: &mut Context<'_>,
        heard: &mut impl FnMut(HeadOutcome) -> bool,
        moved: &mut bool,
    ) -> Option<Ending> {
        loop {
            if let Poll::Ready(false) = self.download.poll_flush(context, self.client.stream, moved) {
                return Some(Ending::ClientGone);
            }
            let mut chunk = self.worker.chunks.take();
            chunk.append(&self.partial);
            match self.upstream.poll_fill(context, &mut chunk) {
                Poll::Pending => return None,
                Poll::Ready(Ok(0) | Err(_)) => {
                    // If the origin closes inside a head, or after interim heads alone, its response is
                    // malformed.
                    return Some(if self.partial.is_empty() && self.interim == 0 {
                        Ending::NoResponse
                    } else {
                        Ending::Malformed
                    });
                }
                Poll::Ready(Ok(_)) => *moved = true,
            }
            self.partial.clear();
            match self.read_heads(chunk, heard) {
                Ok(true) => return None,
                Ok(false) => {}
                Err(ending) => return Some(ending),
            }
        }
    }

    /// Reads the heads in `chunk`. True if the final head was among them.
    fn read_heads(
        &mut self,
        mut chunk: Chunk,
        heard: &mut impl FnMut(HeadOutcome) -> bool,
    ) -> Result<bool, Ending> {
        let worker = self.worker;
        let mut head = worker.response_head.borrow_mut();
        let request = RequestContext { method: self.facts.method, upgrade: self.facts.upgrade.as_deref() };
        loop {
            head.clear();
            head.resume(std::mem::take(&mut self.progress));
            let read = parse_response(chunk.data(), &request, &HeadLimits::RESPONSE, &mut head);
            let Some(head_bytes) = read.map_err(|fault| {
                tracing::debug!(%fault, "malformed response");
                Ending::Malformed
            })?
            else {
                self.progress = head.progress();
                self.partial.extend_from_slice(chunk.data());
                return Ok(false);
            };
            if head.class != ResponseClass::Informational {
                if let Some(fault) = first_fault(&head, &chunk.data()[head_bytes..]) {
                    // Nothing of this response has left, so the client can still get a status.
                    tracing::debug!(%fault, "malformed response");
                    return Err(Ending::Malformed);
                }
                let said = self.hear(&head, chunk.data());
                if !heard(said) {
                    return Err(Ending::Withheld);
                }
                if matches!(head.status, 200..=299) && self.client.stream.asks_for_tunnel() {
                    // The client would take any 2xx for an open tunnel (RFC 8441, 5).
                    return Err(Ending::Ours(Own::NOT_SWITCHED));
                }
                self.take_head(&head, chunk, head_bytes, said);
                return Ok(true);
            }
            self.interim += head_bytes;
            if self.interim > INFORMATIONAL_BYTES_MAX {
                return Err(Ending::Malformed);
            }
            // The door has answered an expectation itself, so the origin's 100 says nothing new.
            if head.status != 100 || !self.facts.expect_continue {
                write_informational(&head, chunk.data(), self.facts.version, self.download.head());
            }
            chunk.consume(head_bytes);
            if chunk.is_empty() {
                return Ok(false);
            }
        }
    }

    fn hear(&self, head: &ResponseHead, buf: &[u8]) -> HeadOutcome {
        let failed_status = matches!(head.status, 500..=599) && head.status != 501 && head.status != 505;
        HeadOutcome {
            status: head.status,
            failed: failed_status || (self.facts.is_grpc && grpc::head_failed(head, buf)),
        }
    }

    /// Writes the head for the client, and begins the body.
    fn take_head(&mut self, head: &ResponseHead, mut chunk: Chunk, head_bytes: usize, heard: HeadOutcome) {
        // If the client asked for an upgrade and did not get it, the bytes behind its request are of
        // that protocol. They can't be taken for a request.
        let clear = self.facts.upgrade.is_none() || self.client.ahead.is_empty();
        self.streams |= head.value_named(chunk.data(), b"content-type").is_some_and(is_event_stream);
        let keep = self.facts.keep && !self.worker.closing.get() && !self.upload_broken && clear;
        // The origin's own field comes before greenlight's.
        let sent = |name: &str| head.value_named(chunk.data(), name.as_bytes()).is_some();
        let hsts = self.facts.hsts.filter(|_| !sent(HSTS)).map(|value| (HSTS, value));
        let mut extra = [("", ""); 3];
        let pairs = self.extra.into_iter().chain([hsts]).flatten();
        let count = extra.iter_mut().zip(pairs).map(|(place, pair)| *place = pair).count();
        let date = self.worker.date.get();
        let answer = Answer {
            version: self.facts.version,
            method: self.facts.method,
            persistence: if keep { Persistence::KeepAlive } else { Persistence::Close },
            date: Some(&date),
            extra: &extra[..count],
        };
        let sending = write_response(head, chunk.data(), &answer, self.download.head());
        chunk.consume(head_bytes);
        self.seen = Some(ResponseSummary {
            heard,
            keep: keep && sending != Sending::ToEnd && head.class == ResponseClass::Final,
            to_end: sending == Sending::ToEnd,
            // After a request for an upgrade, some origins (Node's) read nothing more as a request,
            // whatever they answered.
            reusable: head.reusable() && self.facts.upgrade.is_none(),
        });
        if head.class == ResponseClass::Switching {
            self.begin_tunnel(chunk);
        } else {
            self.phase = Phase::Body;
            self.download.pass_trailers(self.facts.trailers);
            self.download.begin(head.framing, sending, &HeadLimits::RESPONSE, chunk);
            if !keep && self.client.stream.is_tls() {
                self.download.close_behind();
            }
        }
    }

    /// Begins a tunnel. From here on bytes pass as they are in both directions, until both sides have
    /// ended.
    fn begin_tunnel(&mut self, chunk: Chunk) {
        self.phase = Phase::Tunnel;
        self.download.begin(Framing::ToEnd, Sending::ToEnd, &HeadLimits::RESPONSE, chunk);
        let ahead = std::mem::take(self.client.ahead);
        // Bytes that the client sent before the answer belong to its first frames.
        let mut up = DrainClose::new(Some(self.mask()));
        up.pass(&ahead);
        *self.upload = CopyLoop::new(ahead, Framing::ToEnd, Sending::ToEnd, &HeadLimits::RESPONSE, 0);
        self.upload_done = false;
        let protocol = self.facts.upgrade.as_deref().unwrap_or_default();
        if protocol.eq_ignore_ascii_case(b"websocket") {
            self.download.watch(DrainClose::new(None));
            self.upload.watch(up);
            self.handle.is_websocket();
        }
    }

    /// The mask of the one frame that greenlight may send to a server. RFC 6455, 5.3 wants masks
    /// that can't be predicted, so that a client can't choose the bytes that a server sees. Here the
    /// payload is the two bytes of a status code, which no client chooses.
    fn mask(&self) -> [u8; 4] {
        u32::try_from(self.worker.random() >> 32).unwrap_or_default().to_be_bytes()
    }

    /// Moves the response towards the client.
    fn poll_download(&mut self, context: &mut Context<'_>, moved: &mut bool) -> Option<Ending> {
        if !self.download.is_complete() || self.download.is_blocked() {
            let sides = (&mut *self.upstream, &mut *self.client.stream);
            let polled = if self.broken {
                let flushed = self.download.poll_flush(context, sides.1, moved);
                flushed.map(|sent| if sent { CopyEnd::SourceGone } else { CopyEnd::DestinationGone })
            } else {
                self.download.poll(context, sides, &self.worker.chunks, moved)
            };
            match polled {
                Poll::Pending => return None,
                Poll::Ready(CopyEnd::Complete) => {}
                // The part before the fault is no fault.
                Poll::Ready(CopyEnd::Malformed(_)) if self.download.is_blocked() => {
                    self.broken = true;
                    return self.poll_download(context, moved);
                }
                Poll::Ready(CopyEnd::DestinationGone) => return Some(Ending::ClientGone),
                // The client waits for nothing more, so it is no fault how the origin closes.
                Poll::Ready(_)
                    if self.phase == Phase::Tunnel
                        && (self.upload_done || self.download.has_heard_close()) =>
                {
                    self.upload_broken = true;
                }
                Poll::Ready(_) => return Some(Ending::Short),
            }
        }
        if self.phase == Phase::Tunnel {
            let _ = self.client.stream.poll_finish(context);
            let over = self.upload_done || self.upload_broken;
            return over.then_some(Ending::Complete { reusable: false, failed: false });
        }
        let failed = self.facts.is_grpc && self.download.trailers().is_some_and(grpc::trailers_failed);
        let reusable = self.seen.is_some_and(|seen| seen.reusable)
            && self.upload_done
            && !self.upload_broken
            && !self.download.has_rest();
        Some(Ending::Complete { reusable, failed })
    }

    /// Watches a client that has sent everything. A reset ends the origin's work, and a FIN does not. A
    /// next request is read ahead, once.
    fn poll_client(&mut self, context: &mut Context<'_>) -> Option<Ending> {
        let idle = self.upload_done && self.client.ahead.is_empty() && !*self.client.ended;
        if !idle || self.phase == Phase::Tunnel {
            return None;
        }
        let mut chunk = self.worker.chunks.take();
        match self.client.stream.poll_fill_most(context, &mut chunk, AHEAD_BYTES_MAX) {
            Poll::Pending => {}
            Poll::Ready(Ok(0)) => *self.client.ended = true,
            Poll::Ready(Ok(_)) => self.client.ahead.extend_from_slice(chunk.data()),
            Poll::Ready(Err(_)) => return Some(Ending::ClientGone),
        }
        None
    }
}

/// The fault in the part of a response's body that came with its head. Only chunks can be malformed.
fn first_fault(head: &ResponseHead, mut data: &[u8]) -> Option<BodyFault> {
    if head.framing != Framing::Chunked {
        return None;
    }
    let mut reader = BodyReader::of_response(head.framing, &HeadLimits::RESPONSE);
    while !data.is_empty() {
        match reader.read(data) {
            Ok(piece) if piece.done => return None,
            Ok(piece) => data = data.get(piece.consumed..)?,
            Err(fault) => return Some(fault),
        }
    }
    None
}

/// Whether a body of this media type is a stream of events, which a server may leave open in silence.
fn is_event_stream(media_type: &[u8]) -> bool {
    const TYPES: [&[u8]; 4] =
        [b"text/event-stream", b"multipart/x-mixed-replace", b"application/x-ndjson", b"application/grpc"];
    TYPES
        .iter()
        .any(|name| media_type.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
}
